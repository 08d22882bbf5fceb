#pragma once

#include <string>
#include <string_view>

namespace keyturn {

/// Makes `text` valid for D-Bus: bytes that are not UTF-8, and NUL, become "?". The bus daemon
/// drops the connection of a sender of anything else, and keyturnd also needs that connection to
/// restart units.
[[nodiscard]] std::string bus_text(std::string_view text);

/// Returns true if `text` is a single line of visible characters, safe for the journal and
/// terminals.
[[nodiscard]] bool is_one_line(std::string_view text);

}  // namespace keyturn
