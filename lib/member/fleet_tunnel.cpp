#include "member/fleet_tunnel.hpp"

#include "clock/clock.hpp"
#include "fleet/operator_transitions.hpp"
#include "token/random.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace keyturn {

namespace {

/// More orders than a person gives while a store is down.
constexpr std::size_t wishes_max = 20;

}  // namespace

FleetTunnel::FleetTunnel(const boost::asio::any_io_executor& executor, TunnelPolicy policy,
                         double splay_share, Dependencies world, EventLog& log,
                         std::function<void(const ManagedTunnel&)> changed, FleetMemory& memory,
                         FleetSetup setup)
    : policy_(std::move(policy)),
      world_(world),
      executor_(executor),
      splay_share_(splay_share),
      changed_(std::move(changed)),
      times_(setup.times),
      self_(std::move(setup.self)),
      object_(std::move(setup.object)),
      fleet_(policy_.name, policy_.tunnel, std::move(setup.keys), std::move(setup.memories),
             FleetWorld{*object_, world.clock, world.random, memory}),
      log_(log, self_.host, fleet_),
      tokens_(world.tokens, fleet_.keys()),
      states_(world.states,
              [this] {
                  unsaved_ = true;
                  office_.wake();
              }),
      shell_(executor, policy_, world_, log_, fleet_, !policy_.credential.empty()),
      office_(executor),
      wished_(executor),
      watch_(times_) {
    leading_.deposed = [this] {
        deposed_ = true;
        office_.wake();
    };
}

FleetTunnel::~FleetTunnel() {
    for (const FleetOrder& wish : wishes_) {
        tell_dropped(wish,
                     "keyturnd did not reach the store before it had to begin anew; repeat it");
    }
}

Task<> FleetTunnel::run() {
    using namespace boost::asio::experimental::awaitable_operators;
    if (!self_.entry.eligible) {
        co_await (follow() && pass_on_wishes());
        co_return;
    }
    co_await (follow() && lead() && pass_on_wishes());
}

// --- The part of every host ----------------------------------------------------------------------

Task<> FleetTunnel::follow() {
    Follower follower(self_, times_, world_.clock.boot_now());
    for (;;) {
        const FollowerAction action = follower.action();
        if (std::holds_alternative<RestAWhile>(action)) troubles_.note(trouble_.texts());
        auto answer = co_await shell_.perform(action);
        if (fleet_.clashes()) {
            follower.note_clash(fmt::format(
                "there is a second {}, or this host has an old disk: it restarts nothing until "
                "you run `keyturnctl fleet rejoin {}` on the right one",
                self_.host, policy_.name));
        }
        note_look();
        follower.answer(std::move(answer), world_.clock.boot_now());
        if (trouble_ != follower.trouble()) {
            trouble_ = follower.trouble();
            changed_(*this);
        }
    }
}

void FleetTunnel::note_look() {
    const std::optional<FleetDocument>& seen = fleet_.seen();
    if (!seen) return;
    watch_.look(*seen, fleet_.seen_at());
    keep_history();
    show();
    office_.wake();
}

/// Keeps the status up to date while this host runs no agent.
void FleetTunnel::show() {
    if (agent_ || !fleet_.seen() || shown_state_ == fleet_.seen()->state) return;
    shown_state_ = fleet_.seen()->state;
    shown_ = make_agent();
    changed_(*this);
}

/// Every host has the history of its fleet on its own disk.
void FleetTunnel::keep_history() {
    const std::optional<HistoryEntry>& last = fleet_.seen()->last;
    if (!last || (kept_ && same_end(*kept_, *last))) return;
    const auto newest = world_.states.history(policy_.name, 1);
    if (!newest) return;  // Another look tries again.
    const bool known = !newest->empty() && same_end(newest->back(), *last);
    if (known || world_.states.append_history(policy_.name, *last)) kept_ = last;
}

// --- Orders --------------------------------------------------------------------------------------

Result<void> FleetTunnel::place_order(OrderKind kind, RotationRequest request) {
    if (!trouble_.standing.empty()) return Error{Fault::conflict, trouble_.standing, {}};
    if (wishes_.size() >= wishes_max) {
        return Error{Fault::busy, "other orders wait already, until the store takes them", {}};
    }
    auto id = random_hex(world_.random, order_digits);
    if (!id) return id.error();
    FleetOrder wish;
    wish.id = std::move(*id);
    wish.kind = kind;
    wish.request = std::move(request);
    wish.by = self_.host;
    wishes_.push_back(std::move(wish));
    wished_.wake();
    return {};
}

Result<void> FleetTunnel::request_rotation(RotationRequest request) {
    const std::optional<FleetDocument>& seen = fleet_.seen();
    const bool open = seen && seen->state.rotation;
    if (open && request.kind != RotationKind::compromise) {
        return Error{
            Fault::conflict, fmt::format("a rotation of {} is open already", policy_.name), {}};
    }
    for (std::string& unit : request.units) {
        if (!is_unit_name(unit)) {
            return Error{Fault::invalid, fmt::format("{} is not the name of a unit", unit), {}};
        }
        unit = fleet_unit(self_.host, unit);
    }
    return place_order(OrderKind::rotate, std::move(request));
}

Result<void> FleetTunnel::decide(Decision decision) {
    switch (decision) {
        case Decision::retry: return place_order(OrderKind::retry, {});
        case Decision::pause: return place_order(OrderKind::pause, {});
        case Decision::resume: return place_order(OrderKind::resume, {});
        case Decision::revert: break;
    }
    return place_order(OrderKind::revert, {});
}

/// Looks first: an order like the last one is another one if that has been carried out meanwhile.
Task<Result<void>> FleetTunnel::place(FleetOrder wish) {
    const auto seen = co_await fleet_.look();
    if (!seen) co_return seen.error();
    FleetTransition ordering = [wish = std::move(wish)](FleetDocument& document) {
        return order(document, wish);
    };
    const auto placed = co_await fleet_.change(std::move(ordering), false);
    if (!placed) co_return placed.error();
    co_return Result<void>();
}

void FleetTunnel::tell_dropped(const FleetOrder& wish, std::string_view why) {
    Event event{EventKind::rotation_refused, Priority::error,
                fmt::format("An order of this host ({}) is dropped: {}", name_of(wish.kind), why),
                policy_.name, policy_.tunnel};
    event.result = "refused";
    log_.record(event);
}

Task<> FleetTunnel::pass_on_wishes() {
    for (;;) {
        co_await wished_.wait();
        while (!wishes_.empty()) {
            const auto urgent = std::ranges::find_if(wishes_, &FleetOrder::urgent);
            const auto wish = urgent == wishes_.end() ? wishes_.begin() : urgent;
            const auto placed = co_await place(*wish);
            // The object never takes what is invalid, so it would be in the way of all others.
            const bool over = placed || placed.error().fault == Fault::invalid;
            if (!placed && over) tell_dropped(*wish, placed.error().text);
            if (over) wishes_.erase(wish);
            if (placed) office_.wake();
            const BootTime next = world_.clock.boot_now() + times_.hasty_look;
            if (!over) co_await world_.clock.sleep_until(next);
        }
    }
}

// --- What is known -------------------------------------------------------------------------------

bool FleetTunnel::idle() const {
    return !fleet_.seen() || !fleet_.seen()->state.rotation;
}

void FleetTunnel::wall_clock_set() {
    if (agent_) agent_->wall_clock_set();
}

void FleetTunnel::unit_job_ended(const std::string&) {
    shell_.wake();
}

TunnelStatus FleetTunnel::status() const {
    const TunnelAgent* const agent = agent_ ? agent_.get() : shown_.get();
    TunnelStatus status;
    status.name = policy_.name;
    status.tunnel = policy_.tunnel;
    status.state = "idle";
    if (agent != nullptr) status = agent->status();
    std::ranges::move(trouble_.texts(), std::back_inserter(status.findings));
    if (fleet_.seen() && !fleet_.seen()->order.refusal.empty()) {
        status.notes.push_back("the last order was refused: " + fleet_.seen()->order.refusal);
    }
    if (!status.units.empty() || !fleet_.seen()) return status;
    for (const auto& [host, member] : fleet_.seen()->members) {
        for (const MemberUnit& unit : member.units) {
            status.units.push_back(
                {fleet_unit(host, unit.name()), "", 0, unit.seen.connections().value_or(-1), ""});
        }
    }
    return status;
}

TunnelPlan FleetTunnel::plan(std::size_t count) const {
    const TunnelAgent* const agent = agent_ ? agent_.get() : shown_.get();
    if (agent != nullptr) return agent->plan(count);
    TunnelPlan plan;
    plan.name = policy_.name;
    return plan;
}

}  // namespace keyturn
