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

/// More units than one tunnel can have connectors (Cloudflare lists at most 25 replicas; room is
/// left for globs and old names).
inline constexpr std::size_t units_per_tunnel_max = 256;

/// A value that has been read and fits its key. Integers come as `int`.
using PolicyValue =
    std::variant<bool, int, Milliseconds, std::string, TimeZone, std::vector<Calendar>, LocalTime>;

/// Reads a scalar as its key wants it, bounds included. Ids come in lower case, a URL without the
/// slash at its end. The text of an error completes "`KEY` ...".
[[nodiscard]] Result<PolicyValue> read_value(const KeySpec& spec, const DocumentNode& scalar);

/// A name of the operator's own, for a tunnel or a credential: it becomes part of file names, bus
/// paths and journal fields. The text of an error completes "the name ... ".
[[nodiscard]] Result<void> check_own_name(std::string_view name);

/// Why a value that is allowed is worth a warning, completing "`KEY` ..."; empty when it is not.
[[nodiscard]] std::string oddity_of(const KeySpec& spec, const PolicyValue& value);

}  // namespace keyturn
