#include "policy/store_value.hpp"

#include "base/ascii.hpp"
#include "policy/source_text.hpp"
#include "policy/suggestion.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {
namespace {

constexpr std::size_t bucket_name_size_min = 3;
constexpr std::size_t bucket_name_size_max = 63;
constexpr std::size_t name_size_max = 128;

/// True if each part between slashes is a name, and not one that a path would take for a way.
bool is_path_of_names(std::string_view text) {
    while (true) {
        const auto slash = text.find('/');
        const std::string_view name = text.substr(0, slash);
        if (name.empty() || name == "." || name == "..") return false;
        if (slash == std::string_view::npos) return true;
        text.remove_prefix(slash + 1);
    }
}

}  // namespace

Result<PolicyValue> read_bucket_name(std::string_view text) {
    const bool sound = text.size() >= bucket_name_size_min && text.size() <= bucket_name_size_max &&
                       consists_of(text, "-.") && lower(text) == text &&
                       is_alphanumeric(text.front()) && is_alphanumeric(text.back());
    if (sound) return PolicyValue{std::string{text}};
    return invalid(
        fmt::format("must be the name of a bucket ({} to {} lower-case letters, digits, `-` and "
                    "`.`), not {}",
                    bucket_name_size_min, bucket_name_size_max, in_backticks(text)));
}

Result<PolicyValue> read_region(std::string_view text) {
    const bool sound = !text.empty() && text.size() <= name_size_max && consists_of(text, "-_");
    if (sound) return PolicyValue{std::string{text}};
    return invalid(fmt::format(
        "must be a region such as `eu-central-1`, or `auto` (for R2), not {}", in_backticks(text)));
}

Result<PolicyValue> read_key_prefix(std::string_view text) {
    const bool sound =
        text.size() <= name_size_max && consists_of(text, "/-_.") && is_path_of_names(text);
    if (sound) return PolicyValue{std::string{text}};
    return invalid(
        fmt::format("must be words of letters, digits and `._-`, with `/` between them, such as "
                    "`keyturn`, not {}",
                    in_backticks(text)));
}

Result<PolicyValue> read_user_name(std::string_view text) {
    if (text.find(':') != std::string_view::npos) {
        return invalid(
            "must be the name of a user, but looks like a user and a password; put the password in "
            "a file that `password` names");
    }
    const bool sound = !text.empty() && text.size() <= name_size_max &&
                       sound_size(text) == text.size() &&
                       text.find_first_of(" \t") == std::string_view::npos;
    if (sound && !looks_like_secret(text)) return PolicyValue{std::string{text}};
    return invalid(fmt::format(
        "must be the name of a user, without blanks, not {}; its password belongs into a file that "
        "`password` names",
        in_backticks(text)));
}

}  // namespace keyturn
