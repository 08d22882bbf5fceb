#include "policy/unknown_key.hpp"

#include "base/ascii.hpp"
#include "policy/key_paths.hpp"
#include "policy/suggestion.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace keyturn {
namespace {

/// Says where a key that is unknown in `scope` belongs; empty if it is unknown everywhere.
std::string find_home(std::string_view key, KeyScope scope) {
    for (const KeySpec* spec : keys_in({scope.path, false})) {
        if (scope.in_defaults && spec->name() == key) {
            return "must be set for each tunnel; move it from `defaults` to the tunnel";
        }
    }
    const bool of_a_tunnel = scope.path.empty() || scope.path.starts_with(tunnel_path);
    for (const KeySpec& spec : key_table()) {
        if (spec.name() != key || spec.parent() == scope.path) continue;
        // Its keys are common words.
        if (spec.parent().starts_with(coordinator_path) && !of_a_tunnel) continue;
        if (spec.parent().empty()) return "belongs at the top level of the file";
        const std::string_view section = last_name(spec.parent());
        return fmt::format("belongs under `{}:`", section == "NAME" ? spec.parent() : section);
    }
    return {};
}

}  // namespace

bool names_a_secret(std::string_view key) {
    static constexpr std::array words{"secret", "token",  "password", "passwd",
                                      "key",    "bearer", "auth"};
    const std::string plain = lower(key);
    return std::ranges::any_of(
        words, [&](const char* word) { return plain.find(word) != std::string::npos; });
}

std::string describe_unknown(std::string_view key, KeyScope scope) {
    const std::string name = in_backticks(key);
    if (const std::string home = find_home(key, scope); !home.empty()) {
        return fmt::format("{} {}", name, home);
    }
    std::vector<std::string_view> here;
    for (const KeySpec* spec : keys_in(scope)) here.push_back(spec->name());
    std::string remedy = did_you_mean(key, here);
    if (remedy.empty()) remedy = fmt::format("; known here: {}", fmt::join(here, ", "));
    const std::string_view lesson =
        names_a_secret(key) ? "; a policy says where a secret is but never contains one" : "";
    return fmt::format("unknown key {}{}{}", name, lesson, remedy);
}

}  // namespace keyturn
