#pragma once

#include "simulation/years/almanac.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>

namespace keyturn::years {

inline constexpr int run_years = 4;

/// What was seen, over many runs: how often by its name.
using Seen = std::map<std::string, std::uint64_t>;

/// One tunnel of a daemon through some years in virtual time: the agent, the heart, the shell and
/// the files that ship, on a host whose clock is set wrong, that sleeps, is switched off, moves to
/// another zone or loses its state. Says what broke a promise of the schedule; nothing if none was.
[[nodiscard]] std::optional<std::string> run_years_of(
    std::uint64_t seed, Seen& seen, const std::function<void(const std::string&)>& tell);

}  // namespace keyturn::years
