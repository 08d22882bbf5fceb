#include "simulation/fleet/host.hpp"

#include "simulation/fleet/invariants.hpp"
#include "token/random.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn::fleet_simulation {

namespace {

using std::chrono::seconds;

/// A call that was sent ends after this in any case.
constexpr Milliseconds call_deadline = seconds{10};

/// Reproducible.
class SeededRandom final : public Random {
  public:
    explicit SeededRandom(Dice& dice) : dice_(dice) {}

    Result<Secret> bytes(std::size_t size) override {
        Secret secret(size);
        for (std::size_t i = 0; i < size; ++i) {
            secret.data()[i] = static_cast<char>(dice_.between(0, 255));
        }
        return secret;
    }

  private:
    Dice& dice_;
};

std::string text_of(const std::exception_ptr& why) {
    try {
        if (why) std::rethrow_exception(why);
    } catch (const std::exception& error) {
        return error.what();
    }
    return "without a reason";
}

TunnelPolicy policy_for(const std::vector<std::unique_ptr<UnitModel>>& units) {
    TunnelPolicy policy = web_policy({});
    for (const auto& unit : units) policy.units.push_back(unit->name());
    policy.rollout.settle = seconds{1};
    policy.rollout.soak = seconds{15};
    policy.rollout.soak_min = seconds{15};
    policy.rollout.min_healthy_time = seconds{3};
    policy.rollout.healthy_deadline = seconds{40};
    policy.rollout.progress_deadline = std::chrono::minutes{5};
    policy.drift.interval = std::chrono::minutes{2};
    policy.drift.restart = DriftRestart::now;
    policy.drift.units_interval = seconds{60};
    return policy;
}

}  // namespace

FleetTimes simulated_times() {
    FleetTimes times;
    times.idle_look = seconds{20};
    times.answer = seconds{40};
    times.take = seconds{20};
    times.silence = seconds{60};
    times.beat = seconds{10};
    times.take_over = seconds{45};
    times.take_over_rank = seconds{15};
    times.take_over_gap = seconds{20};
    times.lead_age = seconds{15};
    times.api_outage = seconds{90};
    times.start_rank = std::chrono::minutes{2};
    times.useless = seconds{30};
    return times;
}

// --- Its clocks ----------------------------------------------------------------------------------

WallTime HostClock::wall_now() const {
    return host_.world().clock.wall_now() + host_.clock_error;
}

BootTime HostClock::boot_now() const {
    return host_.world().clock.boot_now();
}

std::chrono::microseconds HostClock::stopwatch() const {
    return host_.world().clock.stopwatch();
}

/// Nothing goes on in a process that is stopped or dead.
Task<> HostClock::sleep_until(BootTime when) {
    for (;;) {
        const BootTime until = host_.dead_ ? BootTime::max() : std::max(when, host_.stopped_until_);
        co_await host_.world().clock.sleep_until(until);
        const BootTime now = boot_now();
        if (!host_.dead_ && now >= when && now >= host_.stopped_until_) co_return;
    }
}

Task<> HostClock::wall_clock_set() {
    const BootTime never = BootTime::max();
    co_await sleep_until(never);
}

// --- Life and death ------------------------------------------------------------------------------

Host::Host(Surroundings surroundings, std::string name, int number, bool eligible)
    : surroundings_(surroundings),
      label_(name),
      address_(fmt::format("192.0.2.{}", number)),
      eligible_(eligible),
      random_(std::make_unique<SeededRandom>(world().dice)) {
    disk.memory.host = std::move(name);
}

Host::~Host() {
    die(seconds{0});
    bury();
}

FleetMember Host::entry() const {
    FleetMember entry;
    entry.install = disk.memory.install;
    entry.mark = disk.memory.mark;
    entry.eligible = eligible_;
    entry.version = "1";
    entry.keys = {"k1"};
    entry.min_available = min_available;
    return entry;
}

FleetSetup Host::setup() {
    auto keys = FleetKeys::read(surroundings_.keys);
    FleetSelf self{name(), entry()};
    return FleetSetup{std::make_unique<StoreHandle>(*this), std::move(*keys), disk.memory,
                      std::move(self), simulated_times()};
}

void Host::start_keyturnd() {
    if (lost_ || tunnel_) return;
    ++incarnation_;
    dead_ = false;
    stopped_until_ = {};
    budget_ = std::make_unique<ApiBudget>();
    policy_ = policy_for(units);
    policy_.rollout.min_available = min_available;
    if (eligible_) policy_.credential = "default";
    const Dependencies reach{clock_, api_, local_, local_, tokens_, states_, *random_, *budget_};
    tunnel_ = std::make_unique<FleetTunnel>(
        world().context.get_executor(), policy_, 0.5, reach, log_, [](const ManagedTunnel&) {},
        memory_, setup());
    tunnel_->load();
    running_ = true;
    world().tell(label_ + ": keyturnd starts");
    auto ended = [this](const std::exception_ptr& why) {
        running_ = false;
        if (!dead_)
            world().fail(fmt::format("{}: keyturnd ends by itself: {}", label_, text_of(why)));
    };
    boost::asio::co_spawn(world().context, tunnel_->run(),
                          boost::asio::bind_cancellation_slot(stop_.slot(), std::move(ended)));
}

void Host::die(Milliseconds away) {
    if (!alive()) return;
    dead_ = true;
    away_until = world().now() + away;
    world().tell(label_ + ": keyturnd dies");
    world().after(Milliseconds{0}, [this] { bury(); });
    world().at(away_until, [this] {
        if (world().now() >= away_until) start_keyturnd();
    });
}

void Host::bury() {
    if (!tunnel_ || !dead_) return;
    if (running_) {
        stop_.emit(boost::asio::cancellation_type::terminal);
        world().clock.run_until([this] { return !running_; }, Milliseconds{0});
    }
    if (running_) return world().fail(label_ + ": keyturnd cannot be stopped");
    tunnel_.reset();
}

void Host::stop_for(Milliseconds time) {
    stopped_until_ = std::max(stopped_until_, world().now() + time);
    world().tell(fmt::format("{}: keyturnd is stopped for {}", label_, to_text(time)));
}

void Host::cut_power() {
    for (const auto& unit : units) unit->cut_power();
    die(Milliseconds::max() / 2);
    away_until = BootTime::max();
}

void Host::power_up() {
    if (lost_) return;
    for (const auto& unit : units) unit->start();
    bury();
    start_keyturnd();
}

void Host::lose() {
    lost_ = true;
    cut_power();
}

UnitModel* Host::find(const std::string& unit) {
    const auto found = std::ranges::find_if(
        units, [&](const auto& candidate) { return candidate->name() == unit; });
    return found == units.end() ? nullptr : found->get();
}

// --- What its keyturnd does ----------------------------------------------------------------------

Task<> Host::never() {
    const BootTime never = BootTime::max();
    co_await clock_.sleep_until(never);
}

bool Host::survives_until(Effect) {
    if (dead_) return false;
    if (!world().storm || !world().strikes(deadliness, "killed before an effect")) return true;
    die(world().dice.between(seconds{1}, seconds{90}));
    return false;
}

void Host::may_die_after(Effect) {
    if (dead_ || !world().strikes(deadliness, "killed after an effect")) return;
    die(world().dice.between(seconds{1}, seconds{90}));
}

void Host::job_ended(const std::string& unit) {
    if (alive() && !stopped()) tunnel_->unit_job_ended(unit);
}

void Host::units_changed() {
    invariants().on_units_changed();
}

void Host::sends_secret(const Fingerprint& token) {
    if (!dead_) invariants().on_secret_sent(*this, token);
}

void Host::restarts(UnitModel& unit) {
    invariants().on_restart(*this, unit);
    unit.restart();
}

void Host::replaces_file(const Fingerprint& before, const Fingerprint& token) {
    invariants().on_delivery(*this, before, token);
}

void Host::Log::record(const Event& event) {
    if (host_.dead_) return;
    host_.world().saw(fmt::format("event: {}", name_of(event.kind)));
    host_.invariants().on_event(host_, event);
    host_.world().tell(
        fmt::format("{}: [{}] {}", host_.label_, name_of(event.kind), event.message));
}

// --- Calls ---------------------------------------------------------------------------------------

Host::Trip Host::plan(Server server, Effect effect) {
    Trip trip = trip_to(server, effect);
    if (server == Server::cloud && trip.failure) asked_in_vain = world().now();
    return trip;
}

Host::Trip Host::trip_to(Server server, Effect effect) {
    World& around = world();
    const bool store = server == Server::store;
    const BootTime now = around.now();
    Trip trip;
    const BootTime down = store ? surroundings_.store.down_until : surroundings_.cloud.down_until;
    if (now < cut_until.at(static_cast<std::size_t>(server)) || now < down) {
        trip.answered = now + around.dice.between(Milliseconds{5}, Milliseconds{4000});
        trip.failure = Error{Fault::unreachable,
                             store ? "the store cannot be reached" : "Cloudflare cannot be reached",
                             {}};
        return trip;
    }
    trip.arrives = now + around.dice.between(Milliseconds{5}, Milliseconds{80});
    trip.answered = *trip.arrives + around.dice.between(Milliseconds{5}, Milliseconds{80});
    if (around.storm) make_worse(trip, server, effect);
    return trip;
}

void Host::make_worse(Trip& trip, Server server, Effect effect) {
    World& around = world();
    const BootTime now = around.now();
    if (around.strikes(0.005, "slow call")) {
        trip.arrives = now + around.dice.between(Milliseconds{500}, Milliseconds{9000});
        trip.answered =
            std::min(now + call_deadline,
                     *trip.arrives + around.dice.between(Milliseconds{5}, Milliseconds{900}));
    }
    const bool soon = around.dice.happens(0.5);
    const BootTime timeout = soon ? trip.answered : now + call_deadline;
    if (around.strikes(0.003, "call refused: busy")) {
        trip.arrives.reset();
        trip.failure = Error{Fault::busy, "too many requests", seconds{1}};
    } else if (effect == Effect::none) {
        if (!around.strikes(0.003, "answer to a question lost")) return;
        trip.failure = Error{Fault::unreachable, "no answer", {}};
        trip.answered = timeout;
    } else if (around.strikes(0.008, "answer lost, done")) {
        trip.failure = Error{Fault::ambiguous, "the answer was lost", {}};
        trip.answered = timeout;
    } else if (around.strikes(0.008, "answer lost, not done")) {
        trip.arrives.reset();
        trip.failure = Error{Fault::ambiguous, "the answer was lost", {}};
        trip.answered = timeout;
    } else if (around.strikes(0.01, "answer lost, done late")) {
        trip.arrives = now + around.dice.between(seconds{1}, seconds{120});
        trip.failure = Error{Fault::ambiguous, "the answer was lost", {}};
        trip.answered = timeout;
    } else if (around.strikes(0.008, "sent twice")) {
        trip.again = *trip.arrives + around.dice.between(Milliseconds{0}, Milliseconds{60'000});
    } else if (server == Server::store &&
               around.strikes(0.004, "done, but said to be a conflict")) {
        trip.failure = Error{Fault::conflict, "the object has changed", {}};
    }
}

/// What was sent by a keyturnd that has died meanwhile may still arrive.
void Host::send(BootTime arrives, Effect effect, std::function<void()> act) {
    world().at(arrives, [this, effect, act = std::move(act), sender = incarnation_] {
        const bool gone = dead_ || sender != incarnation_;
        if (gone && world().dice.happens(0.5)) return;
        if (effect == Effect::none || gone) return act();
        if (!survives_until(effect) && world().dice.happens(0.5)) return;
        act();
        may_die_after(effect);
    });
}

}  // namespace keyturn::fleet_simulation
