#pragma once

#include "simulation/history.hpp"
#include "simulation/simulation.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace keyturn::simulation {

/// Takes the lines of a story.
using Teller = std::function<void(const std::string& line)>;

/// Runs a seed. Returns what is wrong, or nothing. `history` receives the events.
[[nodiscard]] std::optional<std::string> run_seed(std::uint64_t seed, Statistics& statistics,
                                                  Teller tell = {}, HistoryFile* history = nullptr);

struct SweepResult {
    std::uint64_t runs = 0;
    std::uint64_t points = 0;
    std::optional<std::string> failure;
};

/// Kills keyturnd at every single crash point of undisturbed rotations: before each effect, and
/// after it with its answer lost. With `pairs`, also at a second point, while it recovers. `tell`
/// receives the story of a failed run.
[[nodiscard]] SweepResult sweep(bool pairs, const Teller& tell);

}  // namespace keyturn::simulation
