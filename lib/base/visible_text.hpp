#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace keyturn {

/// A character at the start of a text, as UTF-8 encodes it.
struct Character {
    std::size_t length = 0;  ///< In bytes; zero: no valid UTF-8, or NUL.
    char32_t code = 0;
};

/// `text` is not empty.
[[nodiscard]] Character first_character(std::string_view text);

/// Whether a reader sees the character, or a gap where it is: no control character, no line break,
/// nothing that turns the direction of writing around, no other character without a shape. With
/// those, text from outside would move a cursor or look like another text.
[[nodiscard]] bool is_visible(char32_t code);

/// `text` in one line, fit to be shown wherever it comes from: what is not visible, and bytes that
/// are no UTF-8, become `instead`. Both programs show text from outside through this alone.
[[nodiscard]] std::string visible_text(std::string_view text, char instead = '?');

}  // namespace keyturn
