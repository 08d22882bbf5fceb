// The public status of a tunnel.

#include "agent/agent_view.hpp"
#include "agent/unit_starts.hpp"

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

/// Describes a rotation that is on disk and about to continue or start: after a start of keyturnd,
/// or just accepted.
void describe_record(TunnelStatus& status, const RotationRecord& record) {
    status.state = record.hold ? "held" : "running";
    status.phase = name_of(record.phase);
    status.reason = record.hold ? record.hold->text : "";
    status.hold_reason = record.hold ? name_of(record.hold->reason) : "";
    status.held_unit = record.hold ? record.hold->unit : "";
    status.rotation_id = record.rotation_id;
    status.trigger = record.request.trigger;
    status.fingerprint = record.new_fingerprint;
    status.batch = record.batch;
    status.batch_count = record.batch_count();
    status.started = record.started;
}

void describe_rotation(TunnelStatus& status, const Rotation& rotation) {
    const RotationView& view = rotation.view();
    const RotationRecord& record = rotation.record();
    describe_record(status, record);
    status.state = word_for(view.state);
    status.phase = name_of(view.phase);
    status.reason = view.reason;
    status.can_revert = rotation.can_revert();
    if (view.step) {
        status.step_started = view.step->wall_started;
        status.step_ends = view.step->wall_started + (view.step->ends - view.step->started);
    }
    for (const UnitProgress& unit : record.units) {
        const bool unused = unit.surge && unit.step == UnitStep::listed;
        if (!unused) status.units.push_back(status_of(unit, view.samples));
    }
}

void describe_last(TunnelStatus& status, const HistoryEntry& last) {
    status.last_outcome = name_of(last.outcome);
    status.reason = last.text;
    status.rotation_id = last.rotation_id;
    status.trigger = last.trigger;
    status.fingerprint = last.new_fingerprint;
}

/// Lists the units on an unknown token. That is no fault, because nothing says that the token has
/// changed since they were started. Empty while a rotation is open: the rotation restarts the
/// units, and a restart by hand could take down the last replica.
std::vector<std::string> notes_of(const AgentView& agent) {
    std::vector<std::string> notes;
    if (agent.rotation != nullptr || agent.state.rotation) return notes;
    for (const UnitStart& start : unknown_starts(agent.state)) {
        notes.push_back(
            fmt::format("{0}: token unknown, because the unit was started before keyturnd first "
                        "checked it; to be sure: systemctl restart {0}, or keyturnctl rotate {1}",
                        start.unit, agent.policy.name));
    }
    return notes;
}

}  // namespace

TunnelStatus status_of(const AgentView& agent) {
    TunnelStatus status;
    status.name = agent.policy.name;
    status.tunnel = agent.policy.tunnel;
    status.state = agent.state.paused ? "paused" : "idle";
    status.last_done = agent.state.last_done;
    status.due = agent.planner.start();
    if (agent.planner.next()) status.due_cause = name_of(agent.planner.next()->cause);
    status.findings = agent.findings.sentences(agent.state);
    status.notes = notes_of(agent);
    const LockOut& lock_out =
        agent.rotation != nullptr ? agent.rotation->view().lock_out : agent.last_lock_out;
    status.evicted = lock_out.evicted;
    status.lockout = lock_out.after;
    status.outage = lock_out.outage;
    if (agent.last) describe_last(status, *agent.last);
    if (!agent.token_file_problem.empty()) {
        status.state = "waiting";
        status.reason = "keyturnd cannot write the token file yet: " + agent.token_file_problem;
    }
    if (!agent.unreadable.empty()) {
        status.state = "held";
        status.hold_reason = "state_unreadable";
        status.reason = agent.unreadable;
    }
    if (agent.rotation != nullptr) {
        describe_rotation(status, *agent.rotation);
    } else if (agent.state.rotation) {
        describe_record(status, *agent.state.rotation);
    }
    if (agent.rotation == nullptr && agent.superseded()) {
        // The compromise has not replaced the open rotation yet.
        status.state = "running";
        status.phase = name_of(Phase::preflight);
    }
    return status;
}

}  // namespace keyturn
