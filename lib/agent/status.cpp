// The public status of a tunnel.

#include "agent/agent_view.hpp"
#include "agent/unit_health.hpp"
#include "agent/unit_starts.hpp"
#include "model/unit_command.hpp"

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

void describe_unit(TunnelStatus& status, const UnitProgress& unit,
                   const SampleUnits::Value& samples) {
    UnitStatus& one = status.units.emplace_back();
    one.name = unit.name;
    one.step = name_of(unit.step);
    one.batch = unit.batch;
    one.verified_by = unit.verified_by;
    const auto sample = std::ranges::find_if(samples, [&](const SampleUnits::Sample& candidate) {
        return candidate.state.name == unit.name;
    });
    const bool seen = sample != samples.end();
    if (seen) one.connections = sample->connections().value_or(-1);
    const bool counted = !unit.surge && unit.step != UnitStep::listed;
    status.health.push_back(
        {unit.name, seen ? health_of(*sample) : "unknown", "", "", counted ? unit.baseline : -1});
}

void describe_idle_units(TunnelStatus& status, const AgentView& agent) {
    for (const SampleUnits::Sample& sample : agent.samples) {
        status.units.push_back({sample.state.name, "", 0, sample.connections().value_or(-1), ""});
        status.health.push_back(health_of(sample, agent.state));
    }
}

/// Describes a rotation that is on disk and about to continue or start: after a start of keyturnd,
/// or just accepted.
void describe_record(TunnelStatus& status, const RotationRecord& record) {
    status.state = record.hold ? "held" : "running";
    status.kind = name_of(record.request.kind);
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
        if (!unused) describe_unit(status, unit, view.samples);
    }
}

void describe_last(TunnelStatus& status, const HistoryEntry& last) {
    status.last_outcome = name_of(last.outcome);
    status.reason = last.text;
    status.rotation_id = last.rotation_id;
    status.trigger = last.trigger;
    status.fingerprint = last.new_fingerprint;
    status.last_ended = last.ended;
}

/// Lists the units on an unknown token. That is no fault, because nothing says that the token has
/// changed since they were started. Empty while a rotation is open: the rotation restarts the
/// units, and a restart by hand could take down the last replica.
std::vector<std::string> notes_of(const AgentView& agent) {
    std::vector<std::string> notes;
    if (agent.rotation != nullptr || agent.state.rotation) return notes;
    for (const UnitStart& start : unknown_starts(agent.state)) {
        notes.push_back(fmt::format(
            "{0}: token unknown, because the unit was started before keyturnd first "
            "checked it; to be sure: {1}, or keyturnctl rotate {2}",
            start.unit, unit_command("systemctl restart", start.unit), agent.policy.name));
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
    status.last_check = agent.checks.last;
    status.check_fails_since = agent.checks.fails_since;
    const LockOut& lock_out =
        agent.rotation != nullptr ? agent.rotation->view().lock_out : agent.last_lock_out;
    status.evicted = lock_out.evicted;
    status.lockout = lock_out.after;
    status.outage = lock_out.outage;
    if (agent.last) describe_last(status, *agent.last);
    if (!agent.state.delivered.empty()) status.fingerprint = agent.state.delivered;
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
        status.expected_end = expected_end(*agent.rotation, agent.policy.rollout);
    } else if (agent.state.rotation) {
        describe_record(status, *agent.state.rotation);
    } else {
        describe_idle_units(status, agent);
    }
    if (agent.rotation == nullptr && agent.superseded()) {
        // The compromise has not replaced the open rotation yet.
        status.state = "running";
        status.phase = name_of(Phase::preflight);
    }
    return status;
}

}  // namespace keyturn
