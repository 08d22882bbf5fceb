#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace keyturn {

/// The character at the start of a UTF-8 text.
struct Character {
    std::size_t length = 0;  ///< In bytes; zero for invalid UTF-8, or NUL.
    char32_t code = 0;
};

/// `text` must not be empty.
[[nodiscard]] Character first_character(std::string_view text);

/// True if a reader sees the character, or a gap in its place: no control character, no line break,
/// nothing that reverses the direction of writing, and no other character without a shape. With
/// those, text from outside could move a cursor or look like another text.
[[nodiscard]] bool is_visible(char32_t code);

/// Makes any text fit to be shown on one line: replaces invisible characters and invalid UTF-8 with
/// `instead`. Both programs show text from outside only through this function.
[[nodiscard]] std::string visible_text(std::string_view text, char instead = '?');

}  // namespace keyturn
