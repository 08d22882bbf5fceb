#pragma once

#include "simulation/years/almanac.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace keyturn::years {

inline constexpr int run_years = 4;

/// How often each thing was seen over many runs, by its name.
using Seen = std::map<std::string, std::uint64_t>;

/// Runs one tunnel of a daemon through some years in virtual time: the agent, the heart, the shell
/// and the files of the product, on a host whose clock is set wrong, that sleeps, is switched off,
/// moves to another zone or loses its state. Returns which promise of the schedule was broken;
/// nothing if none was.
[[nodiscard]] std::optional<std::string> run_years_of(
    std::uint64_t seed, Seen& seen, const std::function<void(const std::string&)>& tell);

}  // namespace keyturn::years
