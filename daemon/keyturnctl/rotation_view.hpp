#pragma once

#include "text_layout.hpp"
#include "wire/tunnel_status.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// The width and the colours of the output.
struct TerminalStyle {
    std::size_t columns = 80;
    bool colour = false;
};

/// "[##########----------] 50% 5m left", at most `columns` wide.
[[nodiscard]] std::string progress_bar(WallTime started, WallTime ends, WallTime now,
                                       std::size_t columns);

/// The line of the current wait, "soak [####------] 40% 6m left"; empty if there is none.
[[nodiscard]] std::string step_line(const TunnelStatus& tunnel, WallTime now, std::size_t columns);

/// One line for each unit, in columns; the unit of a hold is marked.
[[nodiscard]] std::vector<std::string> unit_lines(const TunnelStatus& tunnel,
                                                  const TerminalStyle& style);

/// Returns true for the surge unit: the extra connector that serves while other units restart.
[[nodiscard]] bool is_surge(const UnitStatus& unit);

/// The step of a unit, as one word for people.
[[nodiscard]] std::string step_word(const UnitStatus& unit);

/// The commands that end a hold, each on one line.
[[nodiscard]] std::vector<std::string> remedy_lines(const TunnelStatus& tunnel, std::size_t columns,
                                                    std::size_t indent);

/// Why a tunnel waits or is held, and what to do, wrapped. Empty in the other states.
[[nodiscard]] std::vector<std::string> trouble_lines(const TunnelStatus& tunnel,
                                                     const TerminalStyle& style);

/// "4 connections", "1 connection", or "" if unknown.
[[nodiscard]] std::string connections_text(int connections);

}  // namespace keyturn
