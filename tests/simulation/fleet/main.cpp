// keyturn_fleet_simulation: the hosts of one tunnel in a world where everything goes wrong; see
// ../README.md.
#include "simulation/fleet/run.hpp"
#include "simulation/waves/model.hpp"

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

namespace keyturn::fleet_simulation {

namespace {

struct Options {
    std::uint64_t seed = 0;
    std::uint64_t first = 1;
    std::uint64_t seeds = 0;
    int seconds = 10;
    unsigned jobs = 1;
    std::uint64_t least = 0;
    std::uint64_t rotations = 0;
    bool without_store = false;

    [[nodiscard]] auto run() const {
        return without_store ? wave_simulation::run_waves : run_fleet;
    }
};

/// The seed that this thread runs, for a bug that ends the process.
thread_local std::uint64_t seed_running = 0;

extern "C" void tell_seed(int) {
    char text[96];
    const int size = std::snprintf(text, sizeof text, "its story: --seed %llu\n",
                                   static_cast<unsigned long long>(seed_running));
    static_cast<void>(!::write(STDERR_FILENO, text, static_cast<std::size_t>(size)));
}

int run_one(const Options& options) {
    seed_running = options.seed;
    Seen seen;
    RunCounts counts;
    const auto failure = options.run()(options.seed, seen, counts,
                                       [](const std::string& line) { fmt::print("{}\n", line); });
    if (failure) fmt::print("FAILED: {}\n", *failure);
    return failure ? 1 : 0;
}

/// What all threads have seen so far.
class Total {
  public:
    void add(const Seen& seen, const RunCounts& counts) {
        const std::lock_guard lock(mutex_);
        for (const auto& [what, count] : seen) seen_[what] += count;
        counts_.rotations += counts.rotations;
        counts_.with_fault += counts.with_fault;
        counts_.writes += counts.writes;
        counts_.simulated += counts.simulated;
    }
    [[nodiscard]] const RunCounts& counts() const { return counts_; }

    int report(const Options& options, std::uint64_t runs, double took, bool failed);

  private:
    std::mutex mutex_;
    Seen seen_;
    RunCounts counts_;
};

int Total::report(const Options& options, std::uint64_t runs, double took, bool failed) {
    for (const auto& [what, count] : seen_) {
        const bool rare = count < options.least;
        fmt::print("{:>9}  {}{}\n", count, what, rare ? "  TOO RARE" : "");
        failed = failed || rare;
    }
    fmt::print(
        "{} runs from seed {} in {:.0f} s: {} rotations, {} of them with faults, {} writes, "
        "{}; continue with --first {}\n",
        runs, options.first, took, counts_.rotations, counts_.with_fault, counts_.writes,
        to_text(counts_.simulated), options.first + runs);
    if (counts_.with_fault < options.rotations) {
        fmt::print("MISSED: enough rotations\n");
        failed = true;
    }
    return failed ? 1 : 0;
}

int run_many(const Options& options) {
    // A slow machine gets more time to see what it must see, but not for ever.
    constexpr int patience = 4;
    using Clock = std::chrono::steady_clock;
    const auto started = Clock::now();
    const auto deadline = started + std::chrono::seconds{options.seconds};
    const auto last_deadline = started + patience * std::chrono::seconds{options.seconds};
    std::atomic<std::uint64_t> next = options.first;
    std::atomic<std::uint64_t> rotations = 0;
    std::atomic<bool> failed = false;
    Total total;
    const auto work = [&] {
        while (!failed) {
            const auto limit = rotations < options.rotations ? last_deadline : deadline;
            if (options.seeds == 0 && Clock::now() >= limit) break;
            const std::uint64_t seed = next++;
            if (options.seeds != 0 && seed >= options.first + options.seeds) break;
            seed_running = seed;
            Seen seen;
            RunCounts counts;
            const auto failure = options.run()(seed, seen, counts, {});
            total.add(seen, counts);
            rotations += counts.with_fault;
            if (!failure || failed.exchange(true)) continue;
            fmt::print("FAILED: {}\nits story: --seed {}\n", *failure, seed);
        }
    };
    std::vector<std::jthread> workers;
    for (unsigned job = 0; job < options.jobs; ++job) workers.emplace_back(work);
    workers.clear();
    const std::chrono::duration<double> took = Clock::now() - started;
    const std::uint64_t runs =
        options.seeds != 0 ? std::min(options.seeds, next - options.first) : next - options.first;
    return total.report(options, runs, took.count(), failed);
}

}  // namespace

}  // namespace keyturn::fleet_simulation

int main(int argc, char** argv) {
    using namespace keyturn::fleet_simulation;
    Options options;
    CLI::App app("Runs the hosts of one tunnel through rotations in which everything goes wrong.");
    const auto* seed =
        app.add_option("--seed", options.seed, "run only this seed, and tell its story");
    app.add_option("--first", options.first, "the first seed of many")->capture_default_str();
    app.add_option("--seeds", options.seeds, "how many seeds, instead of --seconds");
    app.add_option("--seconds", options.seconds, "how long to run seeds")->capture_default_str();
    app.add_option("--jobs", options.jobs, "on how many processors")->capture_default_str();
    app.add_option("--least", options.least, "fail if something was seen less often than this");
    app.add_option("--rotations", options.rotations,
                   "continue, up to four times as long, until this many rotations have ended in "
                   "runs with at least one fault; fail if they have not");
    app.add_flag("--without-store", options.without_store,
                 "hosts that share nothing but Cloudflare");
    CLI11_PARSE(app, argc, argv);
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    std::signal(SIGABRT, tell_seed);
    return seed->count() > 0 ? run_one(options) : run_many(options);
}
