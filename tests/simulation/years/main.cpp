// keyturn_years: schedules through years of virtual time; see ../README.md.
#include "simulation/years/run.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <cstdio>
#include <thread>
#include <vector>

namespace keyturn::years {

namespace {

/// Runs that reach nothing prove nothing, so each of these must be seen.
constexpr const char* wanted[] = {
    "rotations",       "begun in a window", "too old to wait for a window",
    "clock set wrong", "suspended",         "made up for what was missed",
    "switched off",    "state lost",        "begun by a wrong clock, and refused",
    "another zone",    "API silent",        "rotated by hand",
    "paused"};

struct Options {
    std::uint64_t first = 1;
    std::uint64_t seeds = 200;
    std::uint64_t seed = 0;
    unsigned jobs = 1;
    std::uint64_t least = 0;
};

struct Outcome {
    Seen seen;
    std::string failure;
    std::uint64_t failed_seed = 0;
};

int run_one(const Options& options) {
    Seen seen;
    const auto failure =
        run_years_of(options.seed, seen, [](const std::string& line) { fmt::print("{}\n", line); });
    if (failure) fmt::print("FAILED: {}\n", *failure);
    return failure ? 1 : 0;
}

/// Runs every `jobs`-th seed until one fails.
Outcome run_some(const Options& options, unsigned job) {
    Outcome outcome;
    const auto silent = [](const std::string&) {};
    for (std::uint64_t i = job; i < options.seeds; i += options.jobs) {
        const std::uint64_t seed = options.first + i;
        const auto failure = run_years_of(seed, outcome.seen, silent);
        if (!failure) continue;
        outcome.failure = *failure;
        outcome.failed_seed = seed;
        break;
    }
    return outcome;
}

int report(const std::vector<Outcome>& outcomes, const Options& options) {
    Seen seen;
    bool failed = false;
    for (const Outcome& outcome : outcomes) {
        for (const auto& [what, count] : outcome.seen) seen[what] += count;
        if (outcome.failure.empty()) continue;
        fmt::print("FAILED: {}; its story: --seed {}\n", outcome.failure, outcome.failed_seed);
        failed = true;
    }
    fmt::print("{} runs of {} years each\n", options.seeds, run_years);
    for (const char* const what : wanted) {
        const std::uint64_t count = seen[what];
        fmt::print("{:>9}  {}{}\n", count, what, count < options.least ? "  TOO RARE" : "");
        failed = failed || count < options.least;
    }
    return failed ? 1 : 0;
}

int run_all(const Options& options) {
    std::vector<Outcome> outcomes(options.jobs);
    std::vector<std::thread> threads;
    for (unsigned job = 0; job < options.jobs; ++job) {
        threads.emplace_back([&, job] { outcomes[job] = run_some(options, job); });
    }
    for (std::thread& thread : threads) thread.join();
    return report(outcomes, options);
}

}  // namespace
}  // namespace keyturn::years

int main(int argc, char** argv) {
    using namespace keyturn::years;
    Options options;
    CLI::App app{"Drives a tunnel's schedule through years of virtual time.", "keyturn_years"};
    app.add_option("--seed", options.seed, "Run only this seed, and tell its story");
    app.add_option("--first", options.first, "The first seed")->capture_default_str();
    app.add_option("--seeds", options.seeds, "The number of seeds")->capture_default_str();
    app.add_option("--jobs", options.jobs, "Threads")->check(CLI::Range(1, 64));
    app.add_option("--least", options.least, "Fail if something was seen less often");
    CLI11_PARSE(app, argc, argv);
    return options.seed != 0 ? run_one(options) : run_all(options);
}
