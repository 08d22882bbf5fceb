#pragma once

#include "base/result.hpp"
#include "policy/document.hpp"
#include "policy/key_table.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace keyturn {

/// More than one tunnel can use: Cloudflare allows 25 replicas a tunnel (its tunnel documentation,
/// 2026). The rest is room for globs and old names.
inline constexpr std::size_t units_per_tunnel_max = 256;

/// A value that was read and fits its key. Integers are `int`.
using PolicyValue =
    std::variant<bool, int, Milliseconds, std::string, TimeZone, std::vector<Calendar>, LocalTime>;

/// Reads a scalar as its key requires and checks its bounds. Ids become lower case, and a URL loses
/// its trailing slash. Errors are `Fault::invalid`; their text completes "`KEY` ...".
[[nodiscard]] Result<PolicyValue> read_value(const KeySpec& spec, const DocumentNode& scalar);

/// Checks a name that the operator chose for a tunnel or a credential: it becomes part of file
/// names, bus paths and journal fields. Errors are `Fault::invalid`; their text completes "the name
/// ...".
[[nodiscard]] Result<void> check_own_name(std::string_view name);

/// Why an allowed value deserves a warning, completing "`KEY` ..."; empty if it does not.
[[nodiscard]] std::string oddity_of(const KeySpec& spec, const PolicyValue& value);

}  // namespace keyturn
