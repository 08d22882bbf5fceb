#pragma once

#include "fakes/simulated_clock.hpp"
#include "simulation/dice.hpp"
#include "time/moment.hpp"

#include <boost/asio/io_context.hpp>

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace keyturn::fleet_simulation {

using simulation::Dice;

/// How often each thing was seen over many runs, by its name.
using Seen = std::map<std::string, std::uint64_t>;
/// Takes the lines of a story.
using Tell = std::function<void(const std::string& line)>;

/// Time, chance and what is going to happen, for everything in one run.
class World {
  public:
    /// `tell` may be empty: nobody listens.
    World(std::uint64_t seed, Seen& seen, const Tell& tell)
        : dice(seed), seen_(seen), tell_(tell) {}
    World(const World&) = delete;
    World& operator=(const World&) = delete;

    [[nodiscard]] BootTime now() const { return clock.boot_now(); }

    /// Lets something happen later, whatever happens to the host that began it.
    void at(BootTime when, std::function<void()> what);
    void after(Milliseconds wait, std::function<void()> what) { at(now() + wait, std::move(what)); }

    /// Lets time pass; less if `enough` is true, or an invariant is broken. Returns `enough`.
    bool pass(Milliseconds time, const std::function<bool()>& enough);

    /// True with this probability, as long as the storm lasts; then it counts `what`.
    bool strikes(double probability, const char* what);
    void saw(const std::string& what) { ++seen_[what]; }

    [[nodiscard]] bool told() const { return static_cast<bool>(tell_); }
    void tell(const std::string& line) const;

    void fail(const std::string& what);
    [[nodiscard]] const std::string& failure() const { return failure_; }

    boost::asio::io_context context{1};
    SimulatedClock clock{context};
    Dice dice;
    bool storm = true;
    std::uint64_t faults = 0;  ///< How many so far.

  private:
    struct Coming {
        BootTime when;
        std::uint64_t number;
        std::function<void()> what;
    };
    /// The earliest one is in front.
    static bool later(const Coming& left, const Coming& right) {
        return std::pair(left.when, left.number) > std::pair(right.when, right.number);
    }

    Seen& seen_;
    const Tell& tell_;
    std::vector<Coming> coming_;  ///< A heap.
    std::uint64_t numbers_ = 0;
    std::string failure_;
};

}  // namespace keyturn::fleet_simulation
