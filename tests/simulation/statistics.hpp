#pragma once

#include "journal/event.hpp"
#include "rotation/record.hpp"
#include "simulation/faults.hpp"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace keyturn::simulation {

/// What a number of runs have seen. It shows that they were worth something: a simulator that never
/// reaches a corner case proves nothing about it.
struct Statistics {
    std::uint64_t runs = 0;
    std::uint64_t rotations = 0;
    std::uint64_t committed = 0;             ///< Reached the commit.
    std::uint64_t committed_with_fault = 0;  ///< Reached it after something went wrong.
    std::uint64_t committed_units = 0;       ///< The sum of their units.
    std::uint64_t done = 0;
    std::uint64_t refused = 0;
    std::uint64_t reverted = 0;
    std::uint64_t moved = 0;       ///< Units moved onto the token file or off it.
    std::uint64_t moved_back = 0;  ///< Such a rotation was undone.
    std::uint64_t compromises = 0;
    std::uint64_t dropped_in_doubt = 0;  ///< Strangers dropped while a unit was silent.
    std::uint64_t take_overs = 0;        ///< Of tokens that changed while no rotation was open.
    std::uint64_t steps = 0;
    Milliseconds simulated{0};
    FaultCounts faults{};
    /// How often keyturnd was killed, by the phase on the disk, before or after an effect.
    std::array<std::array<std::uint64_t, 2>, 7> crashes{};
    std::map<HoldReason, std::uint64_t> holds;
    std::map<EventKind, std::uint64_t> events;

    void add(const Statistics& other);

    [[nodiscard]] std::uint64_t fault_total() const;
    [[nodiscard]] double units_mean() const;

    /// For people.
    [[nodiscard]] std::string to_text() const;

    /// Every corner case that must be seen and was seen less than `least` times.
    [[nodiscard]] std::vector<std::string> missed_corners(std::uint64_t least) const;
};

}  // namespace keyturn::simulation
