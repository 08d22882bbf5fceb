// keyturn_simulation: see README.md.

#include "simulation/sweep.hpp"

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <mutex>
#include <thread>
#include <unistd.h>
#include <vector>

namespace keyturn::simulation {

namespace {

struct Options {
    std::uint64_t seed = 0;
    bool one = false;
    std::string history;
    std::uint64_t seeds = 1;
    std::uint64_t first = 1;
    int seconds = 10;
    unsigned jobs = 1;
    std::uint64_t least = 0;
    std::uint64_t rotations = 0;
    bool sweep = false;
    bool pairs = false;
};

/// The seed that this thread runs, for a bug that ends the process.
thread_local std::uint64_t seed_running = 0;

extern "C" void tell_seed(int) {
    char text[96];
    const int size = std::snprintf(text, sizeof text, "its story: --seed %llu\n",
                                   static_cast<unsigned long long>(seed_running));
    static_cast<void>(!::write(STDERR_FILENO, text, static_cast<std::size_t>(size)));
}

void print_line(const std::string& line) {
    fmt::print("{}\n", line);
}

int run_one(const Options& options) {
    seed_running = options.seed;
    Statistics statistics;
    const auto failure = run_seed(options.seed, statistics, print_line);
    if (!failure) fmt::print("{}", statistics.to_text());
    if (failure) fmt::print("FAILED: {}\n", *failure);
    return failure ? 1 : 0;
}

/// Runs one seed or several, and writes the file of their events.
int run_history(const Options& options) {
    HistoryFile history(options.history);
    if (!history.is_open()) {
        fmt::print("FAILED: cannot write {}\n", options.history);
        return 1;
    }
    const std::uint64_t first = options.one ? options.seed : options.first;
    const std::uint64_t last = first + (options.one ? 1 : options.seeds) - 1;
    Statistics statistics;
    for (std::uint64_t seed = first; seed <= last; ++seed) {
        seed_running = seed;
        const auto failure = run_seed(seed, statistics, {}, &history);
        if (!failure) continue;
        fmt::print("FAILED: {}\nits story: --seed {}\n", *failure, seed);
        return 1;
    }
    fmt::print("{}seeds {} to {}: {}\n", statistics.to_text(), first, last, options.history);
    return 0;
}

int run_many(const Options& options) {
    // A slow machine gets more time to see what it must see, but not for ever.
    constexpr int patience = 30;
    const auto started = std::chrono::steady_clock::now();
    const auto deadline = started + std::chrono::seconds{options.seconds};
    const auto last_deadline = started + patience * std::chrono::seconds{options.seconds};
    std::atomic<std::uint64_t> seen = 0;
    std::atomic<std::uint64_t> next = options.first;
    std::atomic<bool> failed = false;
    std::mutex mutex;
    Statistics all;
    const auto work = [&] {
        Statistics statistics;
        while (!failed) {
            const auto now = std::chrono::steady_clock::now();
            if (now >= (seen < options.rotations ? last_deadline : deadline)) break;
            const std::uint64_t seed = next++;
            seed_running = seed;
            const std::uint64_t before = statistics.committed;
            const auto failure = run_seed(seed, statistics);
            seen += statistics.committed - before;
            if (!failure || failed.exchange(true)) continue;
            fmt::print("FAILED: {}\nits story: --seed {}\n", *failure, seed);
        }
        const std::lock_guard lock(mutex);
        all.add(statistics);
    };
    std::vector<std::jthread> workers;
    for (unsigned job = 0; job < options.jobs; ++job) workers.emplace_back(work);
    workers.clear();
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - started;
    fmt::print("{}seeds {} to {} in {:.0f} s; continue with --first {}\n", all.to_text(),
               options.first, next - 1, took.count(), next.load());
    if (failed) return 1;
    std::vector<std::string> missed = all.missed_corners(options.least);
    if (all.committed < options.rotations) missed.emplace_back("enough rotations");
    for (const std::string& corner : missed) fmt::print("MISSED: {}\n", corner);
    return missed.empty() ? 0 : 1;
}

int run_sweep(const Options& options) {
    const SweepResult result = sweep(options.pairs, print_line);
    if (result.failure) {
        fmt::print("FAILED: {}\n", *result.failure);
        return 1;
    }
    fmt::print("{} runs, keyturnd killed at each of {} points{}: all ended well\n", result.runs,
               result.points, options.pairs ? " and at pairs of them" : "");
    return 0;
}

}  // namespace

}  // namespace keyturn::simulation

int main(int argc, char** argv) {
    using namespace keyturn::simulation;
    Options options;
    CLI::App app("Runs the heart of keyturn through rotations in which everything goes wrong.");
    const auto* seed =
        app.add_option("--seed", options.seed, "run only this seed, and tell its story");
    app.add_option("--first", options.first, "the first seed of many")->capture_default_str();
    app.add_option("--seconds", options.seconds, "how long to run seeds")->capture_default_str();
    app.add_option("--jobs", options.jobs, "on how many processors")->capture_default_str();
    app.add_option("--least", options.least, "fail if a corner case was seen less often than this");
    app.add_option("--rotations", options.rotations,
                   "continue, up to 30 times as long, until this many have reached the commit; "
                   "fail if they have not");
    app.add_option("--history", options.history,
                   "write all events to this file, in the format of journalctl -o json");
    app.add_option("--seeds", options.seeds, "with --history: how many seeds, from the first on")
        ->capture_default_str();
    app.add_flag("--sweep", options.sweep, "kill keyturnd at every single point of a rotation");
    app.add_flag("--pairs", options.pairs, "with --sweep: also a second time, while it recovers");
    CLI11_PARSE(app, argc, argv);
    options.one = seed->count() > 0;
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    std::signal(SIGABRT, tell_seed);
    if (!options.history.empty()) return run_history(options);
    if (options.sweep) return run_sweep(options);
    return options.one ? run_one(options) : run_many(options);
}
