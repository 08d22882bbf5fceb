// The part of a host that may lead: when it runs an agent, and what it does beside it.

#include "clock/clock.hpp"
#include "cloudflare/tunnel_api.hpp"
#include "fleet/operator_transitions.hpp"
#include "member/fleet_tunnel.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <algorithm>
#include <utility>

namespace keyturn {

namespace {

/// An order that needed no write of its own is answered after this.
constexpr Milliseconds answer_late = std::chrono::seconds{30};

}  // namespace

Task<> FleetTunnel::lead() {
    for (;;) {
        co_await wait_until_wanted();
        co_await run_agent();
    }
}

/// Returns once this host leads, or no host does.
Task<> FleetTunnel::wait_until_wanted() {
    for (;;) {
        if (may_run_agent()) co_return;
        const bool leads = co_await take_the_lead();
        if (leads) co_return;
        using namespace boost::asio::experimental::awaitable_operators;
        const BootTime next = world_.clock.boot_now() + times_.beat;
        co_await (office_.wait() || world_.clock.sleep_until(next));
    }
}

bool FleetTunnel::may_run_agent() const {
    const std::optional<FleetDocument>& seen = fleet_.seen();
    return seen && trouble_.standing.empty() && !fleet_.clashes() && !seen->state.rotation;
}

Task<bool> FleetTunnel::take_the_lead() {
    const std::optional<FleetDocument>& seen = fleet_.seen();
    if (!seen || !trouble_.standing.empty() || fleet_.clashes()) co_return false;
    auto silent = watch_.overdue(self_.host, world_.clock.boot_now());
    const bool urgent = seen->order.open() && seen->order.urgent();
    if (urgent && !silent) silent = SilentLead{seen->epoch, seen->lead};
    if (!silent) co_return false;
    // A lead that cannot reach Cloudflare is of no use, and to replace one that works is worse.
    const TunnelRef tunnel{policy_.account, policy_.tunnel};
    const auto reached = co_await world_.api.get_tunnel(tunnel);
    const bool useless = !reached && (urgent || reached.error().fault == Fault::unreachable);
    if (useless) co_return false;
    const std::string host = self_.host;
    const SilentLead gone = *silent;
    FleetTransition taking = [host, gone](FleetDocument& document) {
        return take_over(document, host, gone);
    };
    const auto taken = co_await fleet_.change(std::move(taking), false);
    if (!taken) co_return false;
    leading_.lead = Leadership{host, taken->epoch};
    co_return true;
}

/// With the units of all hosts and the largest `min_available`; of an open rotation, with its
/// rules.
TunnelPolicy FleetTunnel::policy_of_fleet() const {
    TunnelPolicy policy = policy_;
    policy.units.clear();
    for (const auto& [host, member] : fleet_.seen()->members) {
        for (const MemberUnit& unit : member.units) {
            policy.units.push_back(fleet_unit(host, unit.name()));
        }
        policy.rollout.min_available = std::max(policy.rollout.min_available, member.min_available);
    }
    if (fleet_.seen()->state.rotation) policy.rollout = fleet_.seen()->rules;
    return policy;
}

/// An agent that knows what the object has now.
std::unique_ptr<TunnelAgent> FleetTunnel::make_agent() {
    states_.take(fleet_.seen()->state);
    Dependencies world{world_.clock, world_.api,    world_.units,  world_.connectors, tokens_,
                       states_,      world_.random, world_.budget, world_.claims};
    const MakeExecutor make = [this](const TunnelPolicy& policy, TunnelState& state,
                                     Dependencies agents_world) {
        return std::make_unique<LeadExecutor>(policy, state, agents_world, fleet_, tokens_,
                                              leading_, times_);
    };
    auto agent = std::make_unique<TunnelAgent>(
        executor_, policy_of_fleet(), splay_share_, world, log_,
        [this](const TunnelAgent&) { changed_(*this); }, make);
    agent->load();
    unsaved_ = false;  // When the tunnel was first seen is no news.
    return agent;
}

void FleetTunnel::begin_agent() {
    deposed_ = false;
    agreed_ = fleet_.seen()->state;
    agents_policy_ = policy_of_fleet();
    // What an agent has obeyed ends with it, unless the object has it.
    obeyed_ = leading_.obeyed = 0;
    refusal_.clear();
    leading_.api_silent_since.reset();
    shown_.reset();
    agent_ = make_agent();
}

Task<> FleetTunnel::run_agent() {
    using namespace boost::asio::experimental::awaitable_operators;
    begin_agent();
    co_await (agent_->run() || keep_office());
    agent_.reset();
    leading_.lead.reset();
    shown_state_.reset();
    show();
}

/// Ends the agent if another host leads, or the object has changed under it.
bool FleetTunnel::must_end_agent() const {
    const FleetDocument& seen = *fleet_.seen();
    if (deposed_ || fleet_.clashes() || !trouble_.standing.empty()) return true;
    if (leading_.lead) return !seen.led_by(leading_.lead->host, leading_.lead->epoch);
    const bool own = seen.lead && seen.lead->host == self_.host;
    if (seen.state.rotation) return !own;
    if (unsaved_) return false;
    const bool other_policy = !seen.order.open() && agents_policy_ != policy_of_fleet();
    return seen.state != agreed_ || other_policy;
}

Task<> FleetTunnel::keep_office() {
    using namespace boost::asio::experimental::awaitable_operators;
    for (;;) {
        if (must_end_agent()) co_return;
        co_await do_office_work();
        if (must_end_agent()) co_return;
        const BootTime next = next_office_work();
        co_await (office_.wait() || world_.clock.sleep_until(next));
    }
}

/// Whatever else is to do wakes the office.
BootTime FleetTunnel::next_office_work() const {
    const BootTime now = world_.clock.boot_now();
    if (unsaved_ || fleet_.seen()->order.open()) return now + times_.hasty_look;
    if (!leading_.lead) return BootTime::max();
    return std::max(now + times_.hasty_look, watch_.unchanged_since() + times_.beat);
}

Task<> FleetTunnel::do_office_work() {
    obey();
    if (unsaved_) co_await push_state();
    const FleetOrder& order = fleet_.seen()->order;
    // What an order has changed is in the object before its answer.
    const bool late = !unsaved_ && order.open() && order.number == obeyed_ &&
                      world_.clock.boot_now() - obeyed_at_ >= answer_late;
    if (late && came_too_late(order)) refusal_ = "the rotation can no longer be reverted";
    if (!refusal_.empty() || late) co_await answer();
    if (leading_.lead) co_await give_beat();
    if (!leading_.lead) co_await hand_out_token();
}

/// What the agent has saved outside of a rotation's own steps.
Task<> FleetTunnel::push_state() {
    const TunnelState state = states_.state();
    // The first step of a rotation writes its beginning, and the last one its end.
    if (state.rotation.has_value() != leading_.lead.has_value()) co_return;
    unsaved_ = false;
    const std::optional<Leadership> led = leading_.lead;
    FleetTransition saving = [before = agreed_, state, lead = led,
                              order = leading_.obeyed](FleetDocument& document) {
        Result<void> saved =
            lead ? save_record(document, *lead, state) : save_idle_state(document, before, state);
        if (saved) saved = answer_order(document, order, "");
        return saved;
    };
    const auto saved = co_await fleet_.change(std::move(saving), false);
    if (saved) agreed_ = state;
    if (saved) co_return;
    unsaved_ = true;
    note_refused(saved.error(), led);
}

/// If the rotation has ended meanwhile, this host leads no more, but nobody has deposed it.
void FleetTunnel::note_refused(const Error& error, const std::optional<Leadership>& led) {
    if (error.fault == Fault::deposed && led == leading_.lead) deposed_ = true;
}

Task<> FleetTunnel::give_beat() {
    const BootTime now = world_.clock.boot_now();
    const bool silent =
        leading_.api_silent_since && now - *leading_.api_silent_since >= times_.api_outage;
    const bool alone = std::ranges::count_if(fleet_.seen()->members, [](const auto& member) {
                           return member.second.eligible;
                       }) < 2;
    FleetTransition change;
    const std::optional<Leadership> led = leading_.lead;
    if (silent && !alone) {
        change = [lead = *led](FleetDocument& document) { return abdicate(document, lead); };
    } else if (now - watch_.unchanged_since() >= times_.beat) {
        change = [lead = *led](FleetDocument& document) { return beat(document, lead); };
    }
    if (!change) co_return;
    const auto changed = co_await fleet_.change(std::move(change), false);
    if (changed) watch_.look(*changed, fleet_.seen_at());
    if (!changed) note_refused(changed.error(), led);
}

void FleetTunnel::obey() {
    const FleetOrder& order = fleet_.seen()->order;
    if (!order.open() || order.number == obeyed_) return;
    obeyed_ = order.number;
    obeyed_at_ = world_.clock.boot_now();
    refusal_.clear();
    const Result<void> done = carry_out(order);
    if (done) {
        leading_.obeyed = order.number;
        return;
    }
    refusal_ = done.error().text;
}

Result<void> FleetTunnel::carry_out(const FleetOrder& order) {
    switch (order.kind) {
        case OrderKind::rotate: return agent_->request_rotation(order.request);
        case OrderKind::retry: return agent_->decide(Decision::retry);
        case OrderKind::pause: return agent_->decide(Decision::pause);
        case OrderKind::resume: return agent_->decide(Decision::resume);
        case OrderKind::revert: return agent_->decide(Decision::revert);
        case OrderKind::none: break;
    }
    return {};
}

/// A revert that the heart has not begun, and cannot begin any more.
bool FleetTunnel::came_too_late(const FleetOrder& order) const {
    return order.kind == OrderKind::revert && fleet_.seen()->state.rotation &&
           !fleet_.seen()->state.rotation->reverts() && !agent_->status().can_revert;
}

/// Until this succeeds, the next office work repeats it.
Task<> FleetTunnel::answer() {
    FleetTransition answering = [number = obeyed_, refusal = refusal_](FleetDocument& document) {
        return answer_order(document, number, refusal);
    };
    const auto answered = co_await fleet_.change(std::move(answering), false);
    if (answered) refusal_.clear();
}

}  // namespace keyturn
