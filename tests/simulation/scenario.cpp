#include "simulation/simulation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace keyturn::simulation {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr double many_tunnels = 0.005;
constexpr double few_tunnels = 0.2;

TunnelPolicy draw_policy(Dice& dice, int number) {
    TunnelPolicy policy;
    // Names are short: the heart only compares them, and short strings are copied quickly.
    policy.name = fmt::format("t{}", number);
    policy.account = "699d98642c564d2e855e9661899b7252";
    policy.tunnel = fmt::format("tunnel-{}", number);
    // If too few others serve, a surge unit helps out.
    const bool surge = dice.happens(0.25);
    const int units = dice.between(surge ? 1 : 2, dice.happens(0.6) ? 4 : 8);
    for (int unit = 1; unit <= units; ++unit) {
        policy.units.push_back(fmt::format("{}@{}.service", policy.name, unit));
    }
    RolloutPolicy& rollout = policy.rollout;
    rollout.batches = dice.between(1, 4);
    rollout.canary = dice.happens(0.3);
    rollout.min_available = dice.between(1, surge ? units : units - 1);
    rollout.surge = surge ? SurgeUse::automatic : SurgeUse::never;
    if (dice.happens(0.3)) rollout.on_failure = OnFailure::revert;
    rollout.settle = dice.between(seconds{0}, seconds{5});
    rollout.soak = dice.happens(0.04)
                       ? Milliseconds{minutes{10}}
                       : dice.between(Milliseconds{100}, seconds{dice.happens(0.8) ? 3 : 60});
    rollout.soak_min = dice.happens(0.3) ? rollout.soak / 2 : rollout.soak;
    rollout.min_healthy_time = dice.between(Milliseconds{100}, Milliseconds{1500});
    rollout.healthy_deadline = dice.between(seconds{30}, minutes{2});
    rollout.progress_deadline = dice.between(minutes{2}, minutes{15});
    constexpr double never = 0.1;
    if (dice.happens(never)) policy.drift.restart = DriftRestart::never;
    return policy;
}

}  // namespace

Scenario Scenario::draw(Dice& dice) {
    Scenario scenario;
    int tunnels = dice.happens(few_tunnels) ? dice.between(2, 5) : 1;
    if (dice.happens(many_tunnels)) tunnels = dice.between(6, 50);
    for (int number = 1; number <= tunnels; ++number) {
        scenario.tunnels.push_back(draw_policy(dice, number));
    }
    scenario.faults = FaultPlan::draw(dice);
    scenario.rotations_per_tunnel = dice.between(1, 3);
    constexpr double moves_happen = 0.4;
    if (dice.happens(moves_happen)) scenario.moves = dice.fraction();
    return scenario;
}

}  // namespace keyturn::simulation
