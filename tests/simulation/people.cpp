// What people do in a run: operators, and others with access to the tunnel.

#include "simulation/simulation.hpp"

#include <fmt/format.h>

#include <variant>

namespace keyturn::simulation {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr double stranger_is_attached = 0.7;
constexpr double unit_is_silent = 0.3;

}  // namespace

/// What people do to this tunnel.
void Simulation::meddle(Tunnel& tunnel) {
    const std::string& name = tunnel.model.policy().name;
    if (now_ >= tunnel.foreign_at) {
        tunnel.foreign_at = now_ + chance_.until_next(FaultKind::foreign_rotation);
        if (chance_.comes(FaultKind::foreign_rotation)) {
            tell(name + ": somebody else rotates");
            tunnel.model.advance(now_);
            tunnel.model.rotate_foreign(now_);
        }
    }
    if (now_ >= tunnel.pause_at) {
        tunnel.pause_at = now_ + chance_.until_next(FaultKind::operator_pause);
        const bool pauses = !tunnel.model.disk().paused && chance_.comes(FaultKind::operator_pause);
        if (pauses) set_paused(tunnel, true);
    }
    if (now_ >= tunnel.resume_at) set_paused(tunnel, false);
    if (now_ >= tunnel.revert_at && tunnel.rotation) {
        tunnel.revert_at = now_ + chance_.until_next(FaultKind::operator_revert);
        if (tunnel.rotation->can_revert() && chance_.comes(FaultKind::operator_revert)) {
            call_off(tunnel);
        }
    }
    // The agent first finishes what it awaits, and between PATCH and delivery nothing is done.
    const bool at_a_step =
        !tunnel.model.in_a_call() &&
        !(tunnel.rotation && (std::holds_alternative<DeliverToken>(tunnel.rotation->action())));
    if (now_ >= tunnel.compromise_at && at_a_step) {
        tunnel.compromise_at = now_ + chance_.until_next(FaultKind::compromise);
        const bool open = tunnel.rotation && tunnel.rotation->record().compromised();
        if (!open && chance_.comes(FaultKind::compromise))
            begin_compromise(tunnel, dice_.happens(0.2));
    }
}

/// Root puts the settings of units back before that.
void Simulation::call_off(Tunnel& tunnel) {
    tell(tunnel.model.policy().name + ": an operator calls the rotation off");
    const RotationRecord& record = tunnel.rotation->record();
    if (record.keeps_token()) tunnel.model.move_units(record.request, true);
    tunnel.model.invariants().called_off(now_);
    tunnel.rotation->ask_to_revert();
}

/// Root moves some units or all of them, and asks keyturnd to prove it.
void Simulation::begin_move(Tunnel& tunnel) {
    constexpr double all_units = 0.4;
    --tunnel.rotations_left;
    tunnel.faults_at_start = chance_.total();
    tunnel.model.bring_all_in();
    RotationInputs inputs;
    inputs.request.kind = dice_.happens(0.5) ? RotationKind::adopt : RotationKind::release;
    inputs.request.trigger = name_of(inputs.request.kind);
    if (!dice_.happens(all_units)) {
        for (const std::string& unit : tunnel.model.policy().units) {
            if (dice_.happens(0.5)) inputs.request.units.push_back(unit);
        }
    }
    tunnel.model.advance(now_);
    tunnel.model.move_units(inputs.request, false);
    tunnel.model.invariants().move_begins(false, now_);
    tell(fmt::format("{}: root moves units ({})", tunnel.model.policy().name,
                     inputs.request.trigger));
    begin(tunnel, std::move(inputs));
}

void Simulation::set_paused(Tunnel& tunnel, bool paused) {
    tell(fmt::format("{}: an operator {}", tunnel.model.policy().name,
                     paused ? "pauses it" : "resumes it"));
    tunnel.model.disk().paused = paused;
    tunnel.resume_at = paused ? now_ + dice_.between(seconds{1}, minutes{40}) : BootTime::max();
    record_pause(tunnel, paused);
    if (tunnel.rotation) tunnel.rotation->set_paused(paused);
    tunnel.due = now_;
}

/// Records what the agent reports about it.
void Simulation::record_pause(const Tunnel& tunnel, bool paused) {
    Event event;
    event.kind = paused ? EventKind::tunnel_paused : EventKind::tunnel_unpaused;
    event.priority = Priority::notice;
    event.message = paused ? "An operator pauses it" : "An operator ends the pause";
    event.tunnel_name = tunnel.model.policy().name;
    event.tunnel_id = tunnel.model.policy().tunnel;
    if (tunnel.rotation) {
        event.rotation_id = tunnel.rotation->record().rotation_id;
        event.phase = name_of(tunnel.rotation->record().phase);
    }
    record(event);
}

void Simulation::begin_take_over(Tunnel& tunnel) {
    ++statistics_.take_overs;
    tunnel.model.bring_all_in();
    tunnel.model.invariants().rotation_begins(false);
    std::erase_if(tunnel.taken_over,
                  [&](BootTime when) { return when < now_ - std::chrono::hours{24}; });
    RotationInputs inputs;
    inputs.request.trigger = "foreign rotation";
    inputs.request.kind = RotationKind::takeover;
    inputs.take_overs = static_cast<int>(tunnel.taken_over.size());
    tell(tunnel.model.policy().name + ": the token was changed");
    begin(tunnel, std::move(inputs));
}

void Simulation::begin_compromise(Tunnel& tunnel, bool evict_all) {
    ++statistics_.compromises;
    tunnel.model.bring_all_in();
    tell(tunnel.model.policy().name + ": the token is compromised");
    tunnel.faults_at_start = chance_.total() - 1;
    tunnel.committed = false;
    tunnel.retry_at = BootTime::max();
    tunnel.model.advance(now_);
    if (dice_.happens(stranger_is_attached)) tunnel.model.attach_foreign_replica();
    // keyturnd knows the unit of a connector while its process runs: earlier silence counts too.
    if (dice_.happens(unit_is_silent) && chance_.comes(FaultKind::ready_unknown)) {
        tunnel.model.hide_metrics();
    }
    tunnel.model.invariants().compromise_begins();
    RotationInputs inputs;
    inputs.request.trigger = "compromised";
    inputs.request.kind = RotationKind::compromise;
    inputs.request.evict_all = evict_all;
    if (tunnel.model.disk().kept) inputs.superseded = tunnel.model.disk().kept->rotation_id;
    begin(tunnel, std::move(inputs));
}

/// Does what the agent does: starts again from the record, with the hold taken off.
void Simulation::retry(Tunnel& tunnel) {
    tunnel.retry_at = BootTime::max();
    const bool secrets_are_gone = tunnel.rotation->record().hold->reason == HoldReason::missing;
    if (secrets_are_gone) {
        begin_compromise(tunnel, true);
        return;
    }
    constexpr double is_undone = 0.5;
    const bool moves = tunnel.rotation->record().keeps_token();
    if (moves && tunnel.rotation->can_revert() && dice_.happens(is_undone)) {
        tunnel.model.advance(now_);
        call_off(tunnel);
        return;
    }
    constexpr double is_mended = 0.7;
    if (quiet_ || dice_.happens(is_mended)) {
        tunnel.model.advance(now_);
        tunnel.model.mend(dice_.happens(0.5));
    }
    tell(tunnel.model.policy().name + ": an operator retries");
    record_retry(tunnel);
    tunnel.model.invariants().retried();
    RotationInputs inputs;
    inputs.record = tunnel.rotation->record();
    inputs.retried = true;
    inputs.acknowledged_unit = inputs.record->hold->unit;
    inputs.record->hold.reset();
    begin(tunnel, std::move(inputs));
}

}  // namespace keyturn::simulation
