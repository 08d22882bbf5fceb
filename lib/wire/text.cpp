#include "wire/text.hpp"

#include "base/visible_text.hpp"

#include <algorithm>
#include <cstddef>

namespace keyturn {

std::string bus_text(std::string_view text) {
    std::string valid;
    valid.reserve(text.size());
    while (!text.empty()) {
        const std::size_t length = first_character(text).length;
        if (length == 0) {
            valid += '?';
        } else {
            valid += text.substr(0, length);
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return valid;
}

bool is_one_line(std::string_view text) {
    return visible_text(text) == text;
}

}  // namespace keyturn
