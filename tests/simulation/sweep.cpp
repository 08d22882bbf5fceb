#include "simulation/sweep.hpp"

#include <fmt/format.h>

namespace keyturn::simulation {

namespace {

std::optional<std::string> run_scenario(std::uint64_t seed, const Scenario& scenario,
                                        Statistics& statistics, std::uint64_t& points) {
    Simulation simulation(seed, scenario);
    std::optional<std::string> failure;
    try {
        simulation.run();
    } catch (const Violation& violation) {
        failure = violation.what();
    }
    statistics.add(simulation.statistics());
    points = simulation.crash_points();
    return failure;
}

/// Undisturbed rotations of different kinds.
std::vector<Scenario> calm_scenarios() {
    std::vector<Scenario> scenarios;
    for (std::uint64_t seed = 1; seed <= 6; ++seed) {
        Dice dice(seed);
        Scenario scenario = Scenario::draw(dice);
        scenario.tunnels.resize(1);
        scenario.faults = FaultPlan();
        scenario.rotations_per_tunnel = 1;
        scenarios.push_back(std::move(scenario));
    }
    return scenarios;
}

}  // namespace

std::optional<std::string> run_seed(std::uint64_t seed, Statistics& statistics, Teller tell,
                                    HistoryFile* history) {
    Dice dice(seed);
    Scenario scenario = Scenario::draw(dice);
    scenario.tell = std::move(tell);
    if (history != nullptr) {
        history->begin(seed, scenario);
        scenario.record = [history](const Event& event, const Moment& moment) {
            history->add(event, moment);
        };
    }
    std::uint64_t points = 0;
    return run_scenario(dice.roll(), scenario, statistics, points);
}

SweepResult sweep(bool pairs, const Teller& tell) {
    SweepResult result;
    Statistics statistics;
    std::uint64_t seed = 0;
    for (const Scenario& calm : calm_scenarios()) {
        ++seed;
        std::uint64_t points = 0;
        result.failure = run_scenario(seed, calm, statistics, points);
        if (result.failure) return result;
        result.points += points;
        for (std::uint64_t first = 1; first <= points; ++first) {
            const std::uint64_t last = pairs ? points : first;
            for (std::uint64_t second = first; second <= last; ++second) {
                Scenario scenario = calm;
                scenario.kill_at = {first, second};
                std::uint64_t ignored = 0;
                result.failure = run_scenario(seed, scenario, statistics, ignored);
                ++result.runs;
                if (!result.failure) continue;
                scenario.tell = tell;
                static_cast<void>(run_scenario(seed, scenario, statistics, ignored));
                *result.failure +=
                    fmt::format(" (scenario {}, killed at points {} and {})", seed, first, second);
                return result;
            }
        }
    }
    return result;
}

}  // namespace keyturn::simulation
