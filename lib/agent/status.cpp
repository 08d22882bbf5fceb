// What a tunnel tells of itself.

#include "agent/tunnel_agent.hpp"
#include "agent/unit_starts.hpp"
#include "clock/clock.hpp"
#include "journal/event_log.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {

namespace {

std::string_view word_for(RotationState state) {
    switch (state) {
        case RotationState::running: return "running";
        case RotationState::waiting: return "waiting";
        case RotationState::paused: return "paused";
        case RotationState::held: return "held";
        case RotationState::refused:
        case RotationState::done: break;
    }
    return "idle";
}

/// A stranger can attach any number of connectors; that many are told one by one.
constexpr std::size_t foreign_findings_max = 5;

UnitStatus status_of(const UnitProgress& unit, const SampleUnits::Value& samples) {
    UnitStatus status;
    status.name = unit.name;
    status.step = name_of(unit.step);
    status.batch = unit.batch;
    status.verified_by = unit.verified_by;
    const auto sample = std::ranges::find_if(samples, [&](const SampleUnits::Sample& candidate) {
        return candidate.state.name == unit.name;
    });
    if (sample != samples.end()) status.connections = sample->connections().value_or(-1);
    return status;
}

}  // namespace

TunnelStatus TunnelAgent::status() const {
    TunnelStatus status;
    status.name = policy_.name;
    status.tunnel = policy_.tunnel;
    status.state = state_.paused ? "paused" : "idle";
    status.last_done = state_.last_done;
    status.due = start();
    if (next_) status.due_cause = name_of(next_->cause);
    status.findings = findings();
    status.notes = notes();
    const LockOut& lock_out = rotation_ ? rotation_->view().lock_out : lock_out_;
    status.evicted = lock_out.evicted;
    status.lockout = lock_out.after;
    status.outage = lock_out.outage;
    if (last_) {
        status.last_outcome = name_of(last_->outcome);
        status.reason = last_->text;
        status.rotation_id = last_->rotation_id;
        status.trigger = last_->trigger;
        status.fingerprint = last_->new_fingerprint;
    }
    if (!token_file_problem_.empty()) {
        status.state = "waiting";
        status.reason = "the token file is not there yet: " + token_file_problem_;
    }
    if (!unreadable_.empty()) {
        status.state = "held";
        status.hold_reason = "state_unreadable";
        status.reason = unreadable_;
    }
    if (rotation_) {
        describe_rotation(status);
    } else if (state_.rotation) {
        describe_record(status, *state_.rotation);
    }
    if (!rotation_ && superseded()) {
        // Between two rotations that follow each other at once.
        status.state = "running";
        status.phase = name_of(Phase::preflight);
    }
    return status;
}

/// What the last look at Cloudflare came to, as far as a person should know.
std::vector<std::string> TunnelAgent::findings() const {
    std::vector<std::string> findings;
    for (const auto& [id, described] : foreign_told_) {
        if (findings.size() == foreign_findings_max) {
            findings.push_back(fmt::format("{} more connectors are none of its units",
                                           foreign_told_.size() - foreign_findings_max));
            break;
        }
        findings.push_back(
            fmt::format("somebody runs it with its token: {} is none of its units; to lock them "
                        "out: keyturnctl rotate {} --compromised",
                        described, policy_.name));
    }
    for (const UnitStart& start : outdated_starts(state_)) {
        findings.push_back(fmt::format(
            "{} {} started with the token {}, and {} is the one that counts now: it cannot get a "
            "lost connection back (systemctl restart {})",
            start.unit, start.certain ? "was" : "may have been", start.fingerprint,
            state_.delivered, start.unit));
    }
    for (const Problem& problem : problems_) {
        findings.push_back("the next rotation would be refused: " + problem.text);
    }
    if (!drift_problem_.empty()) {
        findings.push_back("the last look at Cloudflare did not succeed: " + drift_problem_);
    }
    return findings;
}

/// No fault: nothing tells that the token has changed since these were started. An open rotation
/// restarts them itself: who restarted one by hand meanwhile might take down the last that serves.
std::vector<std::string> TunnelAgent::notes() const {
    std::vector<std::string> notes;
    if (rotation_ || state_.rotation) return notes;
    for (const UnitStart& start : unknown_starts(state_)) {
        notes.push_back(
            fmt::format("{}: token unknown, because it was started before keyturnd looked at it; "
                        "to be sure: systemctl restart {}, or keyturnctl rotate {}",
                        start.unit, start.unit, policy_.name));
    }
    return notes;
}

/// Of a rotation that is on the disk and about to be taken up: after a start, or just accepted.
void TunnelAgent::describe_record(TunnelStatus& status, const RotationRecord& record) {
    status.state = record.hold ? "held" : "running";
    status.phase = name_of(record.phase);
    status.reason = record.hold ? record.hold->text : "";
    status.hold_reason = record.hold ? name_of(record.hold->reason) : "";
    status.held_unit = record.hold ? record.hold->unit : "";
    status.rotation_id = record.rotation_id;
    status.trigger = record.trigger;
    status.fingerprint = record.new_fingerprint;
    status.batch = record.batch;
    status.batch_count = record.batch_count();
    status.started = record.started;
}

void TunnelAgent::describe_rotation(TunnelStatus& status) const {
    const RotationView& view = rotation_->view();
    const RotationRecord& record = rotation_->record();
    describe_record(status, record);
    status.state = word_for(view.state);
    status.phase = name_of(view.phase);
    status.reason = view.reason;
    status.can_revert = rotation_->can_revert();
    if (view.step) {
        status.step_started = view.step->wall_started;
        status.step_ends = view.step->wall_started + (view.step->ends - view.step->started);
    }
    for (const UnitProgress& unit : record.units) {
        const bool unused = unit.surge && unit.step == UnitStep::listed;
        if (!unused) status.units.push_back(status_of(unit, view.samples));
    }
}

void TunnelAgent::publish() {
    TunnelStatus now = status();
    if (published_ && *published_ == now) return;
    published_ = std::move(now);
    if (changed_) changed_(*this);
}

Event TunnelAgent::event_of(EventKind kind, Priority priority) const {
    Event event;
    event.kind = kind;
    event.priority = priority;
    event.tunnel_name = policy_.name;
    event.tunnel_id = policy_.tunnel;
    if (rotation_) {
        event.rotation_id = rotation_->record().rotation_id;
        event.phase = name_of(rotation_->record().phase);
    }
    return event;
}

void TunnelAgent::tell(EventKind kind, Priority priority, std::string message) {
    Event event = event_of(kind, priority);
    event.message = std::move(message);
    log_.record(event);
}

}  // namespace keyturn
