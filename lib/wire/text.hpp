#pragma once

#include <string>
#include <string_view>

namespace keyturn {

/// `text` as D-Bus allows it: bytes that are no UTF-8, and NUL, become "?". A bus daemon drops the
/// connection of who sends anything else, and that connection restarts units too.
[[nodiscard]] std::string bus_text(std::string_view text);

/// Whether `text` is a single line, and all of it visible, as the journal and terminals take it.
[[nodiscard]] bool is_one_line(std::string_view text);

}  // namespace keyturn
