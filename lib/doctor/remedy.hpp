#pragma once

#include "doctor/facts.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// A command that writes a small drop-in of a unit, which sorts before keyturn's own, and lets
/// systemd read it. `lines` may contain no quotes. Pure.
[[nodiscard]] std::string drop_in_command(const std::string& unit, const std::string& name,
                                          const std::vector<std::string>& lines);

/// The text as one word of a shell command. Pure.
[[nodiscard]] std::string shell_word(const std::string& text);

/// What a finding about a unit is about: the unit, then its tunnel. Pure.
[[nodiscard]] std::vector<std::string> about(const UnitSeen& unit);

/// What a finding about a tunnel and all its units is about. Pure.
[[nodiscard]] std::vector<std::string> about_all_of(const HostFacts& facts,
                                                    const TunnelSeen& tunnel);

/// The tunnel of the policy that the unit belongs to; null if it is in none. Pure.
[[nodiscard]] const TunnelSeen* tunnel_of(const HostFacts& facts, const UnitSeen& unit);

/// True while a rotation of the tunnel is open: tokens differ then. Pure.
[[nodiscard]] bool is_rotating(const TunnelSeen& tunnel);

/// The command that opens a file of the policy, and lets keyturnd read it. Pure.
[[nodiscard]] std::string edit_policy_command(const std::string& path);

}  // namespace keyturn
