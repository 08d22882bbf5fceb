#pragma once

#include "text_layout.hpp"
#include "wire/tunnel_status.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// What the output has to look like.
struct TerminalStyle {
    std::size_t columns = 80;
    bool colour = false;
};

/// "[##########----------]  50%  5m left", `columns` wide at most.
[[nodiscard]] std::string progress_bar(WallTime started, WallTime ends, WallTime now,
                                       std::size_t columns);

/// The line of the wait under way, "soak  [####------]  40%  6m left"; empty when there is none.
[[nodiscard]] std::string step_line(const TunnelStatus& tunnel, WallTime now, std::size_t columns);

/// One line a unit, in columns; the unit of a hold is marked.
[[nodiscard]] std::vector<std::string> unit_lines(const TunnelStatus& tunnel,
                                                  const TerminalStyle& style);

/// Whether it is the extra connector that helps out while others restart.
[[nodiscard]] bool is_surge(const UnitStatus& unit);

/// The step of a unit in a word for people.
[[nodiscard]] std::string step_word(const UnitStatus& unit);

/// The commands that lead out of a hold, each whole on a line.
[[nodiscard]] std::vector<std::string> remedy_lines(const TunnelStatus& tunnel, std::size_t columns,
                                                    std::size_t indent);

/// Why a tunnel waits or is held, and what to do; wrapped. Empty for the other states.
[[nodiscard]] std::vector<std::string> trouble_lines(const TunnelStatus& tunnel,
                                                     const TerminalStyle& style);

/// "4 connections", "1 connection", "" when unknown.
[[nodiscard]] std::string connections_text(int connections);

}  // namespace keyturn
