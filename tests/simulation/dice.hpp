#pragma once

#include "time/moment.hpp"

#include <cstdint>

namespace keyturn::simulation {

/// The source of all randomness of one run: the same seed gives the same run on every machine.
/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014).
class Dice {
  public:
    explicit Dice(std::uint64_t seed) : state_(seed) {}

    [[nodiscard]] std::uint64_t roll() {
        state_ += 0x9e3779b97f4a7c15U;
        std::uint64_t mixed = state_;
        mixed = (mixed ^ (mixed >> 30U)) * 0xbf58476d1ce4e5b9U;
        mixed = (mixed ^ (mixed >> 27U)) * 0x94d049bb133111ebU;
        return mixed ^ (mixed >> 31U);
    }

    /// In [0, 1).
    [[nodiscard]] double fraction() { return static_cast<double>(roll() >> 11U) * 0x1.0p-53; }

    [[nodiscard]] bool happens(double probability) {
        return probability > 0 && fraction() < probability;
    }

    /// Both ends included.
    [[nodiscard]] int between(int low, int high) {
        return low + static_cast<int>(roll() % static_cast<std::uint64_t>(high - low + 1));
    }
    [[nodiscard]] Milliseconds between(Milliseconds low, Milliseconds high) {
        const auto span = static_cast<std::uint64_t>((high - low).count() + 1);
        return low + Milliseconds{static_cast<Milliseconds::rep>(roll() % span)};
    }

    /// The time until the next of events that come `per_hour` times an hour; `for_ever` for none.
    [[nodiscard]] Milliseconds until_next(double per_hour);

  private:
    std::uint64_t state_;
};

/// Longer than any run.
inline constexpr Milliseconds for_ever = std::chrono::hours{24 * 365 * 100};

}  // namespace keyturn::simulation
