// Which requests of operators a tunnel accepts now, and why it refuses the others.

#include "agent/agent_view.hpp"

#include <fmt/format.h>

namespace keyturn {

namespace {

/// An open compromise does not start over, unless the new request also drops every connector.
Result<void> may_replace_compromise(const AgentView& agent, const RotationRequest& request) {
    const std::string& name = agent.policy.name;
    const bool drops_all =
        agent.accepted ? agent.accepted->evict_all : agent.rotation->record().request.evict_all;
    const bool held = !agent.accepted && agent.in(RotationState::held);
    const bool waits = !agent.accepted && agent.in(RotationState::waiting);
    if (request.evict_all && (!drops_all || held || waits)) return {};
    std::string way_out;
    if (held) way_out = fmt::format("to continue, run `keyturnctl retry {}`; ", name);
    if (!request.evict_all) {
        way_out += fmt::format(
            "to drop every connector at once, including your own, run `keyturnctl rotate {} "
            "--compromised --evict-all`; ",
            name);
    }
    return Error{
        Fault::conflict,
        fmt::format("a rotation of {} as compromised is already open; {}see `keyturnctl status {}`",
                    name, way_out, name)};
}

Result<void> may_compromise(const AgentView& agent, const RotationRequest& request) {
    const bool under_way = agent.rotation != nullptr && agent.rotation->record().compromised();
    if (agent.superseded() || under_way) return may_replace_compromise(agent, request);
    return {};
}

Error already_open(const AgentView& agent, const RotationRequest& request) {
    const std::string& name = agent.policy.name;
    std::string way_out = fmt::format("see `keyturnctl status {}`", name);
    if (request.moves_units()) {
        way_out =
            agent.in(RotationState::held)
                ? fmt::format(
                      "end it first with `keyturnctl retry {0}` or `keyturnctl revert "
                      "{0}`, then try again",
                      name)
                : fmt::format("try again when it has ended; see `keyturnctl status {}`", name);
    }
    return Error{
        Fault::conflict, fmt::format("a rotation of {} is already open; {}", name, way_out), {}};
}

Error rotated_lately(const AgentView& agent, WallTime last_done) {
    const Milliseconds interval = agent.policy.schedule.min_interval;
    return Error{
        Fault::denied,
        fmt::format(
            "{0} was rotated {1} ago, and `min_interval` is {2}. You can rotate it from {3} on (in "
            "{4}), or sooner with a lower `min_interval` in the policy. If somebody else has the "
            "token, do not wait: run `keyturnctl rotate {0} --compromised`",
            agent.policy.name, to_text(Milliseconds{agent.now - last_done}), to_text(interval),
            to_text(last_done + interval),
            to_text(Milliseconds{last_done + interval - agent.now}))};
}

}  // namespace

Result<void> may_rotate(const AgentView& agent, const RotationRequest& request) {
    const std::string& name = agent.policy.name;
    if (!agent.unreadable.empty()) {
        return Error{Fault::denied,
                     "the recorded state of " + name + " cannot be trusted: " + agent.unreadable};
    }
    if (request.kind == RotationKind::compromise) return may_compromise(agent, request);
    if (request.evict_all) {
        return Error{Fault::invalid, "`--evict-all` (drop every connection) needs `--compromised`"};
    }
    if (agent.state.paused) {
        return Error{
            Fault::denied,
            fmt::format("{0} is paused; to end the pause, run `keyturnctl resume {0}`", name)};
    }
    const bool open = agent.rotation != nullptr || agent.accepted || agent.bringing_back;
    if (open || agent.state.rotation) return already_open(agent, request);
    if (request.moves_units()) return {};
    const std::optional<WallTime> last = agent.state.last_done;
    if (last && agent.now < *last + agent.policy.schedule.min_interval) {
        return rotated_lately(agent, *last);
    }
    return {};
}

Result<void> may_retry(const AgentView& agent) {
    const bool held = agent.in(RotationState::held);
    if (agent.state.paused && !(held && agent.rotation->record().compromised())) {
        return Error{Fault::conflict,
                     fmt::format("{0} is paused, and keyturnd retries nothing during a pause; to "
                                 "end the pause, run `keyturnctl resume {0}`",
                                 agent.policy.name)};
    }
    if (held) return {};
    return Error{Fault::conflict,
                 fmt::format("{0} is not held, so there is nothing to retry; see `keyturnctl "
                             "status {0}`",
                             agent.policy.name)};
}

Result<void> may_revert(const AgentView& agent) {
    if (agent.rotation == nullptr) {
        return Error{Fault::conflict, fmt::format("no rotation of {} is open", agent.policy.name)};
    }
    if (agent.rotation->can_revert()) return {};
    return Error{Fault::denied,
                 fmt::format("the rotation of {} cannot be reverted: it is almost done, it is "
                             "already being reverted, or keyturnd cannot bring the old token back",
                             agent.policy.name)};
}

Result<void> may_set_paused(const AgentView& agent, bool paused) {
    if (paused != agent.state.paused.has_value()) return {};
    return Error{Fault::conflict, fmt::format("{} is {}", agent.policy.name,
                                              paused ? "already paused" : "not paused")};
}

}  // namespace keyturn
