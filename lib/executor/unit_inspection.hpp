#pragma once

#include "cloudflared/token_source.hpp"
#include "model/unit_state.hpp"

#include <optional>
#include <string>

namespace keyturn {

/// Why a unit that a glob matches has no part in the rotation.
inline constexpr const char* passed_over_text =
    "a glob in `units:` matches it but it runs no connector, so keyturnd skips it; list the units "
    "one by one to avoid this message";

/// Why a unit cannot be part of a rotation, and what to do.
struct UnitProblem {
    std::string text;
    bool elsewhere = false;  ///< It only takes its token from another place.
};

/// A unit cannot be part of a rotation if it would not take its token from `token_file`, it names
/// another tunnel, or restarting it would affect other units. Nothing if it can. Pure.
[[nodiscard]] std::optional<UnitProblem> unit_problem(const UnitSettings& settings,
                                                      const std::string& token_file,
                                                      const ConnectorFiles& files,
                                                      const std::string& tunnel);

}  // namespace keyturn
