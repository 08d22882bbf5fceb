#pragma once

#include "rotation/action.hpp"
#include "rotation/record.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// Notes which process each of these units has now. `unchanged` means that the token file has held
/// only `state.delivered` since the last check, so that a unit started since then has read it.
/// Returns the units with a new process whose token is unknown, once for each process. Pure.
[[nodiscard]] std::vector<std::string> note_starts(TunnelState& state,
                                                   const SampleUnits::Value& samples,
                                                   bool unchanged);

/// Notes the token that a finished rotation has delivered, and the processes that it has verified.
/// Pure.
void note_end_of_rotation(TunnelState& state, const HistoryEntry& entry);

/// Returns true if this process is known to run on the delivered token. Pure.
[[nodiscard]] bool runs_on_delivered(const TunnelState& state, const UnitState& unit);

/// Returns the starts of processes on another token than the delivered one. Pure.
[[nodiscard]] std::vector<UnitStart> outdated_starts(const TunnelState& state);

/// Returns the starts of processes that may or may not run on the delivered token. Pure.
[[nodiscard]] std::vector<UnitStart> unknown_starts(const TunnelState& state);

}  // namespace keyturn
