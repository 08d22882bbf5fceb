#include "simulation/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn::simulation {

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Milliseconds storm_max = hours{6};
constexpr Milliseconds quiet_max = hours{48};
constexpr Milliseconds api_outage_max = minutes{20};
constexpr Milliseconds bus_outage_max = minutes{5};
constexpr Milliseconds polkit_outage_max = minutes{5};
constexpr Milliseconds disk_full_max = minutes{20};
constexpr Milliseconds network_outage_max = minutes{5};
constexpr Milliseconds stall_max = minutes{10};
constexpr Milliseconds drift_interval = minutes{15};
/// After this, every earlier secret is shown and accepted everywhere.
constexpr Milliseconds seen_by_then = minutes{5};
constexpr std::uint64_t steps_per_tunnel_max = 1'000'000;
constexpr WallTime wall_start{seconds{1'772'332'200}};

}  // namespace

Simulation::Simulation(std::uint64_t seed, Scenario scenario)
    : dice_(seed),
      scenario_(std::move(scenario)),
      plan_(scenario_.faults),
      shared_{chance_,
              Outages(chance_, FaultKind::api_outage, api_outage_max),
              Outages(chance_, FaultKind::bus_outage, bus_outage_max),
              Outages(chance_, FaultKind::polkit_outage, polkit_outage_max),
              Outages(chance_, FaultKind::disk_full, disk_full_max),
              Outages(chance_, FaultKind::network_outage, network_outage_max),
              [this](Phase phase, bool before) { pass_crash_point(phase, before); },
              0} {
    for (const TunnelPolicy& policy : scenario_.tunnels) {
        Tunnel& tunnel = tunnels_.emplace_back(policy, shared_, now_);
        tunnel.rotations_left = scenario_.rotations_per_tunnel;
        tunnel.rotate_at = now_ + dice_.between(seconds{1}, minutes{5});
        tunnel.due = now_;
        tunnel.foreign_at = now_ + chance_.until_next(FaultKind::foreign_rotation);
        tunnel.pause_at = now_ + chance_.until_next(FaultKind::operator_pause);
        tunnel.revert_at = now_ + chance_.until_next(FaultKind::operator_revert);
        tunnel.compromise_at = now_ + chance_.until_next(FaultKind::compromise);
    }
    storm_ends_ = now_ + storm_max;
    reboot_at_ = now_ + chance_.until_next(FaultKind::host_reboot);
    clock_step_at_ = now_ + chance_.until_next(FaultKind::clock_step);
    state_lost_at_ = now_ + chance_.until_next(FaultKind::state_lost);
}

void Simulation::run() {
    try {
        run_to_the_end();
    } catch (const Violation&) {
        for (Tunnel& tunnel : tunnels_) tell(tunnel.model.describe());
        throw;
    }
}

void Simulation::run_to_the_end() {
    const BootTime began = now_;
    const std::uint64_t steps_max = steps_per_tunnel_max * tunnels_.size();
    record_start();
    while (!(quiet_ && settled())) {
        if (++statistics_.steps > steps_max) throw Violation("I5 is broken: no end is in sight");
        if (!quiet_ && storm_is_over()) fall_silent();
        if (quiet_ && now_ > storm_ends_ + quiet_max) {
            throw Violation("I5 is broken: hours after the last fault it has not recovered");
        }
        now_ = std::max(now_, next_moment());
        disturb();
        if (!daemon_up_ && daemon_back_ <= now_) start_daemon();
        if (!daemon_up_) continue;
        for (Tunnel& tunnel : tunnels_) {
            if (tunnel.due <= now_ && daemon_up_) step(tunnel);
        }
    }
    for (Tunnel& tunnel : tunnels_) {
        tunnel.model.check_convergence(now_);
    }
    ++statistics_.runs;
    statistics_.simulated += now_ - began;
}

BootTime Simulation::next_moment() const {
    BootTime next = std::min({reboot_at_, clock_step_at_, state_lost_at_, daemon_back_});
    if (!quiet_) next = std::min(next, storm_ends_);
    if (!daemon_up_) return next;
    for (const Tunnel& tunnel : tunnels_) next = std::min(next, tunnel.due);
    return next;
}

bool Simulation::storm_is_over() const {
    const bool all_rotated = std::ranges::all_of(tunnels_, [](const Tunnel& tunnel) {
        return tunnel.rotations_left == 0 && !tunnel.rotation;
    });
    return now_ >= storm_ends_ || (daemon_up_ && all_rotated);
}

/// Faults that affect the whole host.
void Simulation::disturb() {
    if (now_ >= reboot_at_) {
        reboot_at_ = now_ + chance_.until_next(FaultKind::host_reboot);
        if (chance_.comes(FaultKind::host_reboot)) reboot();
    }
    if (now_ >= state_lost_at_) {
        state_lost_at_ = now_ + chance_.until_next(FaultKind::state_lost);
        if (chance_.comes(FaultKind::state_lost)) lose_state();
    }
    if (now_ >= clock_step_at_) {
        clock_step_at_ = now_ + chance_.until_next(FaultKind::clock_step);
        if (chance_.comes(FaultKind::clock_step)) {
            wall_offset_ += dice_.between(-hours{24 * 3650}, hours{24 * 3650});
        }
    }
}

void Simulation::step(Tunnel& tunnel) {
    try {
        meddle(tunnel);
        if (!tunnel.rotation) {
            idle(tunnel);
        } else if (now_ >= tunnel.retry_at &&
                   tunnel.rotation->view().state == RotationState::held) {
            retry(tunnel);
        } else {
            perform(tunnel);
        }
    } catch (const DaemonKilled&) {
        kill_daemon(dice_.between(Milliseconds{100}, minutes{2}));
    }
}

/// Does what the agent does: checks for drift from time to time, and rotates when that is wanted.
void Simulation::idle(Tunnel& tunnel) {
    const bool paused = tunnel.model.disk().paused;
    if (tunnel.rotations_left > 0 && now_ >= tunnel.rotate_at && !paused) {
        // In the end, the tunnel has to show that it can rotate.
        if (!quiet_ && dice_.happens(scenario_.moves)) {
            begin_move(tunnel);
        } else {
            begin_new(tunnel);
        }
        return;
    }
    if (!tunnel.model.has_token_file()) tunnel.model.write_lost_token_file();
    const std::optional<bool> changed = tunnel.model.token_was_changed(now_);
    if (changed && *changed) {
        begin_take_over(tunnel);
        return;
    }
    if (changed) tunnel.looked_at = now_;
    tunnel.due = now_ + drift_interval;
    if (tunnel.rotations_left > 0 && !paused) tunnel.due = std::min(tunnel.due, tunnel.rotate_at);
    tunnel.due = std::min({tunnel.due, tunnel.resume_at, tunnel.compromise_at});
}

void Simulation::begin_new(Tunnel& tunnel) {
    tunnel.model.bring_all_in();
    --tunnel.rotations_left;
    ++statistics_.rotations;
    tunnel.faults_at_start = chance_.total();
    if (chance_.strikes(FaultKind::foreign_replica)) tunnel.model.attach_foreign_replica();
    if (chance_.strikes(FaultKind::other_source)) tunnel.model.forget_token_file_somewhere();
    tunnel.model.invariants().rotation_begins(false);
    RotationInputs inputs;
    inputs.request.trigger = "simulation";
    tell(tunnel.model.policy().name + ": a rotation begins");
    begin(tunnel, std::move(inputs));
}

void Simulation::begin(Tunnel& tunnel, RotationInputs inputs) {
    inputs.policy = tunnel.model.policy();
    inputs.paused = tunnel.model.disk().paused;
    inputs.retired = tunnel.model.disk().retired;
    tunnel.rotation = std::make_unique<Rotation>(std::move(inputs), now_, wall_now());
    take_events(tunnel);
    plan_next(tunnel);
}

void Simulation::perform(Tunnel& tunnel) {
    // Until the rotation no longer needs it; the file is not the only place with that token.
    const RotationRecord& open = tunnel.rotation->record();
    const bool is_ours = open.phase >= Phase::commit && !open.proven && open.refusal.empty();
    if (is_ours && tunnel.model.keeps_current() && chance_.strikes(FaultKind::file_changed)) {
        tell(tunnel.model.policy().name + ": somebody changes the token file");
        tunnel.model.change_token_file(now_);
    }
    constexpr double backup_is_made = 0.02;
    const bool backed_up = plan_.rate(FaultKind::state_lost) > 0;
    if (backed_up && dice_.happens(backup_is_made)) tunnel.model.back_up();
    std::optional<Answer> answer = tunnel.model.perform(tunnel.rotation->action(), now_);
    if (!answer) {
        tunnel.due = tunnel.model.again_at();
        return;
    }
    tunnel.rotation->answer(std::move(*answer), now_, wall_now());
    take_events(tunnel);
    if (tunnel.rotation->ended()) {
        conclude(tunnel);
    } else {
        plan_next(tunnel);
    }
}

void Simulation::plan_next(Tunnel& tunnel) {
    tunnel.due = now_;
    const Action& action = tunnel.rotation->action();
    if (const Wait* wait = std::get_if<Wait>(&action)) {
        tunnel.due = std::max(now_, wait->until);
        tunnel.model.invariants().waits(*tunnel.rotation, tunnel.due - now_, now_);
    }
    if (chance_.strikes(FaultKind::stall)) {
        tunnel.due += dice_.between(Milliseconds{100}, stall_max);
    }
}

void Simulation::take_events(Tunnel& tunnel) {
    for (const Event& event : tunnel.rotation->take_events()) {
        ++statistics_.events[event.kind];
        record(event);
        tell(fmt::format("{}: {}", name_of(event.kind), event.message));
        tunnel.model.invariants().event_told(event, now_);
        const bool in_doubt =
            event.kind == EventKind::connector_evicted && event.result == "doubtful";
        if (in_doubt && event.message.find(stranger_name) != std::string::npos) {
            ++statistics_.dropped_in_doubt;
        }
        if (event.kind == EventKind::secret_committed && !tunnel.committed) {
            tunnel.committed = true;
            ++statistics_.committed;
            statistics_.committed_units += tunnel.rotation->record().units.size();
        }
        // An operator who was called for a hold has nothing left to lift.
        if (event.kind == EventKind::rotation_reverting) tunnel.retry_at = BootTime::max();
        if (event.kind != EventKind::rotation_held) continue;
        if (tunnel.rotation->record().hold)
            ++statistics_.holds[tunnel.rotation->record().hold->reason];
        const Milliseconds away =
            quiet_ ? Milliseconds{minutes{1}} : dice_.between(minutes{1}, minutes{30});
        if (tunnel.retry_at == BootTime::max()) tunnel.retry_at = now_ + away;
    }
}

void Simulation::conclude(Tunnel& tunnel) {
    const bool done = tunnel.rotation->view().state == RotationState::done;
    ++(done ? statistics_.done : statistics_.refused);
    const bool went_back = tunnel.rotation->record().reverts();
    if (done && went_back && !tunnel.rotation->record().keeps_token()) ++statistics_.reverted;
    // A revert spares units whose token is unknown. A record of an earlier rotation does not know
    // the token that a unit has read since, if it was restarted meanwhile.
    const bool moved = tunnel.rotation->record().keeps_token();
    if (moved && done) ++(went_back ? statistics_.moved_back : statistics_.moved);
    if (done && !went_back && !moved && !tunnel.from_backup) tunnel.unsure = false;
    tunnel.from_backup = false;
    if (done && tunnel.rotation->record().ends_on_foreign_token())
        tunnel.taken_over.push_back(now_);
    if (tunnel.committed && chance_.total() > tunnel.faults_at_start) {
        ++statistics_.committed_with_fault;
    }
    tunnel.committed = false;
    tunnel.rotation.reset();
    if (tunnel.unsure && quiet_) tunnel.rotations_left = 1;  // A person tries again.
    tunnel.rotate_at = now_ + dice_.between(minutes{1}, hours{1});
    tunnel.due = now_ + minutes{1};
    if (!done) tunnel.model.mend(false);
}

void Simulation::kill_daemon(Milliseconds away) {
    tell("keyturnd is killed");
    daemon_up_ = false;
    daemon_back_ = now_ + away;
    for (Tunnel& tunnel : tunnels_) {
        tunnel.rotation.reset();
        tunnel.retry_at = BootTime::max();
        tunnel.model.forget_call();
        tunnel.taken_over.clear();
        tunnel.model.invariants().daemon_gone();
    }
}

void Simulation::start_daemon() {
    tell("keyturnd starts");
    record_start();
    daemon_up_ = true;
    daemon_back_ = BootTime::max();
    for (Tunnel& tunnel : tunnels_) {
        if (!tunnel.model.disk().record) {
            // Whatever it was, it has ended or had not begun.
            tunnel.committed = false;
            tunnel.due = now_;
            continue;
        }
        RotationInputs inputs;
        inputs.record = tunnel.model.disk().record;
        begin(tunnel, std::move(inputs));
    }
}

void Simulation::reboot() {
    tell("the host reboots");
    ++boot_;
    const BootTime up = now_ + dice_.between(seconds{5}, minutes{10});
    for (Tunnel& tunnel : tunnels_) {
        tunnel.model.advance(now_);
        tunnel.model.reboot(up);
    }
    kill_daemon(up - now_ + dice_.between(Milliseconds{0}, seconds{20}));
}

void Simulation::pass_crash_point(Phase phase, bool before) {
    ++crash_points_;
    const bool planned =
        std::ranges::find(scenario_.kill_at, crash_points_) != scenario_.kill_at.end();
    if (!chance_.strikes(FaultKind::daemon_crash) && !planned) return;
    ++statistics_.crashes[static_cast<std::size_t>(phase)][before ? 0 : 1];
    throw DaemonKilled{};
}

void Simulation::fall_silent() {
    tell("from here on nothing goes wrong");
    quiet_ = true;
    storm_ends_ = now_;
    plan_.fall_silent();
    for (Outages* outages :
         {&shared_.api, &shared_.bus, &shared_.polkit, &shared_.disk, &shared_.network}) {
        outages->end();
    }
    reboot_at_ = clock_step_at_ = state_lost_at_ = BootTime::max();
    for (Tunnel& tunnel : tunnels_) {
        tunnel.foreign_at = tunnel.pause_at = tunnel.revert_at = BootTime::max();
        tunnel.compromise_at = BootTime::max();
        if (tunnel.model.disk().paused) set_paused(tunnel, false);
        tunnel.model.advance(now_);
        tunnel.model.mend(false);
        // The tunnel must be able to rotate.
        constexpr double proves_it = 0.1;
        tunnel.rotations_left = tunnel.unsure || dice_.happens(proves_it) ? 1 : 0;
        if (!tunnel.rotation) tunnel.due = now_ + minutes{1};
    }
}

bool Simulation::settled() const {
    return daemon_up_ && std::ranges::all_of(tunnels_, [this](const Tunnel& tunnel) {
               const bool idle = tunnel.rotations_left == 0 && !tunnel.rotation;
               return idle && tunnel.looked_at > storm_ends_ + seen_by_then;
           });
}

WallTime Simulation::wall_now() const {
    return wall_start + now_.time_since_epoch() + wall_offset_;
}

void Simulation::record(const Event& event) {
    if (scenario_.record) scenario_.record(event, Moment{now_, wall_now(), boot_});
}

/// Records what keyturnd reports at its start, outside any rotation.
void Simulation::record_start() {
    Event event;
    event.kind = EventKind::daemon_started;
    event.priority = Priority::notice;
    event.message = "keyturnd starts";
    record(event);
}

/// Records what the agent reports before it starts again from the record.
void Simulation::record_retry(const Tunnel& tunnel) {
    Event event;
    event.kind = EventKind::hold_lifted;
    event.priority = Priority::notice;
    event.message = "An operator retries the rotation";
    event.tunnel_name = tunnel.model.policy().name;
    event.tunnel_id = tunnel.model.policy().tunnel;
    event.rotation_id = tunnel.rotation->record().rotation_id;
    event.phase = name_of(tunnel.rotation->record().phase);
    record(event);
}

void Simulation::tell(std::string line) {
    if (!scenario_.tell) return;
    scenario_.tell(fmt::format("{:>12} {}", to_text(now_.time_since_epoch()), line));
}

}  // namespace keyturn::simulation
