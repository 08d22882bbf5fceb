#pragma once

#include "rotation/action.hpp"
#include "rotation/record.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// Notes which process each of these units has now. `unchanged`: since the last look the token file
/// held nothing but `state.delivered`, so whoever was started meanwhile has read that. Returns the
/// units whose process was there before anybody looked, each once. Pure.
[[nodiscard]] std::vector<std::string> note_starts(TunnelState& state,
                                                   const SampleUnits::Value& samples,
                                                   bool unchanged);

/// A rotation that ended has proven processes, and delivered a token. Pure.
void note_end_of_rotation(TunnelState& state, const HistoryEntry& entry);

/// Whether this process is known to run on the delivered token. Pure.
[[nodiscard]] bool runs_on_delivered(const TunnelState& state, const UnitState& unit);

/// The starts of processes on another token than the delivered one. Pure.
[[nodiscard]] std::vector<UnitStart> outdated_starts(const TunnelState& state);

/// The starts of which nobody knows whether they were on the delivered token. Pure.
[[nodiscard]] std::vector<UnitStart> unknown_starts(const TunnelState& state);

}  // namespace keyturn
