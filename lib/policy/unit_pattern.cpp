#include "policy/unit_pattern.hpp"

#include "base/ascii.hpp"
#include "policy/suggestion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <fnmatch.h>

namespace keyturn {
namespace {

constexpr std::size_t unit_name_size_max = 255;  // systemd's UNIT_NAME_MAX, without the NUL.
constexpr std::string_view suffix = ".service";
constexpr std::string_view glob_characters = "*?[";

bool is_name_character(char c) {
    return is_alphanumeric(c) || std::string_view{":-_.\\@"}.find(c) != std::string_view::npos;
}

bool is_pattern_character(char c) {
    return is_name_character(c) || std::string_view{"*?[]!^"}.find(c) != std::string_view::npos;
}

Result<void> check_glob(std::string_view glob) {
    const std::string_view literal = glob.substr(0, glob.find_first_of(glob_characters));
    if (literal.empty() || !is_letter(literal.front())) {
        return invalid(
            fmt::format("has the glob {}, which could match any unit; begin it with letters, "
                        "such as `cloudflared-*.service`",
                        in_backticks(glob)));
    }
    if (!std::ranges::all_of(glob, is_pattern_character)) {
        return invalid(fmt::format("has {}, which cannot be a unit name", in_backticks(glob)));
    }
    for (auto open = glob.find('['); open != std::string_view::npos;) {
        // The first character of a set may be a `]` of its own.
        const auto close = glob.find(']', open + 2);
        if (close == std::string_view::npos) {
            return invalid(
                fmt::format("has the glob {}, whose `[` is not closed", in_backticks(glob)));
        }
        open = glob.find('[', close);
    }
    return {};
}

Result<void> check_name(std::string_view name) {
    const std::string_view stem = name.substr(0, name.size() - suffix.size());
    if (stem.empty() || stem.front() == '@' || !std::ranges::all_of(stem, is_name_character)) {
        return invalid(fmt::format("has {}, which is not a valid unit name", in_backticks(name)));
    }
    if (stem.back() == '@' && stem.find('@') == stem.size() - 1) {
        return invalid(
            fmt::format("has the template {}; name its instances: `{}1{}`, or all of them: "
                        "`{}*{}`",
                        in_backticks(name), quote_safe(stem), suffix, quote_safe(stem), suffix));
    }
    return {};
}

}  // namespace

bool is_glob(std::string_view pattern) {
    return pattern.find_first_of(glob_characters) != std::string_view::npos;
}

bool glob_matches(const std::string& glob, const std::string& name) {
    return ::fnmatch(glob.c_str(), name.c_str(), FNM_NOESCAPE) == 0;
}

Result<void> check_unit_pattern(std::string_view pattern) {
    if (pattern.empty()) return invalid("has an empty name; delete it");
    if (pattern.size() > unit_name_size_max) {
        return invalid(fmt::format("has a name longer than {} bytes", unit_name_size_max));
    }
    if (!pattern.ends_with(suffix)) {
        const bool has_dot = pattern.find('.') != std::string_view::npos;
        return invalid(has_dot ? fmt::format("has {}, which is not a service; names end in `{}`",
                                             in_backticks(pattern), suffix)
                               : fmt::format("has {}; write the whole name, `{}{}`",
                                             in_backticks(pattern), quote_safe(pattern), suffix));
    }
    return is_glob(pattern) ? check_glob(pattern) : check_name(pattern);
}

}  // namespace keyturn
