#include "delivery/names.hpp"

#include "base/ascii.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {

bool is_rotation_id(std::string_view text) {
    constexpr std::size_t digits = 32;
    return text.size() == digits && std::ranges::all_of(text, is_lower_hex);
}

std::string staged_name(std::string_view tunnel_name, std::string_view rotation_id) {
    return fmt::format(".{}.keyturn-{}", tunnel_name, rotation_id);
}

bool is_staged_for(std::string_view name, std::string_view tunnel_name) {
    const std::string prefix = staged_name(tunnel_name, "");
    return name.starts_with(prefix) && is_rotation_id(name.substr(prefix.size()));
}

std::string_view tunnel_beside(std::string_view name) {
    const std::size_t end = name.rfind(".keyturn-");
    if (!name.starts_with('.') || end == std::string_view::npos || end == 0) return {};
    return name.substr(1, end - 1);
}

}  // namespace keyturn
