#include "simulation/fleet/run.hpp"

#include "simulation/fleet/people.hpp"
#include "simulation/fleet/quick_texts.hpp"
#include "simulation/fleet/trouble.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn::fleet_simulation {

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

/// What a fleet needs at most to be well again once nothing goes wrong any more, with people who
/// do what each hold says.
constexpr Milliseconds quiet_max = hours{2};

class Run {
  public:
    Run(std::uint64_t seed, Seen& seen, const Tell& tell) : fleet_(seed, seen, tell) {}

    std::optional<std::string> to_the_end(RunCounts& counts);

  private:
    void storm();
    void one_rotation();
    void come_to_rest();
    [[nodiscard]] bool at_rest();
    [[nodiscard]] std::string unrest();

    FleetModel fleet_;
    World& world_ = fleet_.world;
    Trouble trouble_{fleet_};
    People people_{fleet_};
};

void Run::one_rotation() {
    const std::uint64_t before = fleet_.invariants.concluded;
    Dice& dice = world_.dice;
    const BootTime until = world_.now() + minutes{10};
    if (dice.happens(0.05)) people_.pause_for(dice.between(seconds{5}, minutes{3}));
    while (!people_.order_rotation(dice.happens(0.08)) && world_.now() < until) {
        if (world_.pass(seconds{10}, [] { return false; }) || !world_.failure().empty()) return;
    }
    if (dice.happens(0.08)) {
        world_.after(dice.between(seconds{1}, minutes{2}), [this] { people_.ask_to_revert(); });
    }
    if (dice.happens(0.05)) {
        world_.after(dice.between(seconds{1}, minutes{2}),
                     [this] { people_.order_rotation(true); });
    }
    world_.pass(minutes{10}, [&] { return fleet_.invariants.concluded > before; });
}

void Run::storm() {
    trouble_.begin();
    people_.begin();
    const int rotations = world_.dice.between(3, 8);
    for (int i = 0; i < rotations && world_.failure().empty(); ++i) {
        one_rotation();
        world_.pass(world_.dice.between(seconds{1}, minutes{1}), [] { return false; });
    }
}

/// Why it is not at rest yet; empty if it is.
std::string Run::unrest() {
    const FleetDocument& document = fleet_.store.document();
    if (document.order.open())
        return fmt::format("the order to {} is open", name_of(document.order.kind));
    if (document.state.rotation) {
        return fmt::format("a rotation is open in {}", name_of(document.state.rotation->phase));
    }
    const Fingerprint& held = fleet_.cloud.held();
    if (document.deliver != held) return "the object has another token than Cloudflare";
    for (const auto& [host, member] : document.members) {
        Host* there = fleet_.named(host);
        if (there->lost()) return host + " is lost, and still a member";
    }
    for (const auto& host : fleet_.hosts) {
        if (host->lost() || !document.members.contains(host->name())) continue;
        if (!host->alive()) return host->label() + " does not run";
        if (host->disk.holds != held) return host->label() + " has another token in its file";
        for (const auto& unit : host->units) {
            if (!unit->serves()) return unit->full_name() + " does not serve";
            if (unit->token() != held) return unit->full_name() + " runs on another token";
        }
    }
    return {};
}

bool Run::at_rest() {
    return unrest().empty();
}

void Run::come_to_rest() {
    trouble_.end();
    const BootTime end = world_.now() + quiet_max;
    while (!at_rest() && world_.now() < end && world_.failure().empty()) {
        world_.pass(seconds{5}, [] { return false; });
    }
    if (!world_.failure().empty()) return;
    if (const std::string why = unrest(); !why.empty()) {
        return world_.fail(fmt::format("not at rest after {}: {}; last hold: {}",
                                       to_text(quiet_max), why, people_.last_hold()));
    }
    if (fleet_.invariants.retired_token_unnoticed()) {
        world_.fail("a retired token is back, and nobody says so");
    }
}

std::optional<std::string> Run::to_the_end(RunCounts& counts) {
    const BootTime began = world_.now();
    fleet_.set_up();
    world_.pass(seconds{40}, [] { return false; });
    storm();
    if (world_.failure().empty()) come_to_rest();
    counts.rotations += fleet_.invariants.concluded;
    if (world_.faults > 0) counts.with_fault += fleet_.invariants.concluded;
    counts.writes += fleet_.store.writes;
    counts.simulated += world_.now() - began;
    if (world_.failure().empty()) return std::nullopt;
    return world_.failure();
}

}  // namespace

std::optional<std::string> run_fleet(std::uint64_t seed, Seen& seen, RunCounts& counts,
                                     const Tell& tell) {
    constexpr std::uint64_t every = 16;
    begin_texts(seed % every != 0);
    return Run(seed, seen, tell).to_the_end(counts);
}

}  // namespace keyturn::fleet_simulation
