#include "setup/policy_text.hpp"

#include "base/ascii.hpp"
#include "base/invariant.hpp"
#include "setup/shipped_texts.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace keyturn {

namespace {

constexpr std::string_view special_in_patterns = "\\^$.|+()[]{}/";

std::string as_pattern(std::string_view unit) {
    std::string pattern;
    for (const char c : unit) {
        if (c == '*' || c == '?') {
            pattern += c == '*' ? ".*" : ".";
            continue;
        }
        if (special_in_patterns.find(c) != std::string_view::npos) pattern += '\\';
        pattern += c;
    }
    return pattern;
}

std::string quoted(const std::string& text) {
    return '"' + text + '"';
}

}  // namespace

std::string first_policy() {
    const std::string_view example = shipped_policy;
    const std::size_t tunnels = example.find("\ntunnels:\n");
    invariant(tunnels != std::string_view::npos, "the example has tunnels");
    return fmt::format("{}\n# The tunnels are in keyturn.d/*.yaml, one file each.\n",
                       example.substr(0, tunnels));
}

std::string tunnel_drop_in(const NewTunnel& tunnel) {
    std::vector<std::string> units;
    for (const std::string& unit : tunnel.units) units.push_back(quoted(unit));
    return fmt::format(
        "# Written by keyturnctl setup. keyturn.yaml(5) describes the keys, which you may add "
        "here.\n"
        "tunnels:\n"
        "  {}:\n"
        "    account: {}\n"
        "    tunnel: {}\n"
        "    credential: {}\n"
        "    units: [{}]\n"
        "    token: {{store: keyturn}}\n",
        tunnel.name, tunnel.account, tunnel.tunnel, tunnel.credential, fmt::join(units, ", "));
}

std::string policy_name_of(std::string_view name, const std::vector<std::string>& taken) {
    constexpr std::size_t size_max = 32;
    std::string clean;
    for (const char c : name.substr(0, size_max))
        clean += is_letter(c) || is_digit(c) || c == '_' ? lower(c) : '-';
    while (clean.starts_with('-') || clean.starts_with('_')) clean.erase(0, 1);
    while (clean.ends_with('-')) clean.pop_back();
    if (clean.empty()) clean = "tunnel";
    std::string free = clean;
    for (int number = 2; std::ranges::find(taken, free) != taken.end(); ++number)
        free = fmt::format("{}-{}", clean, number);
    return free;
}

std::string polkit_rule(const std::vector<std::string>& units) {
    const std::string_view rule = shipped_polkit_rule;
    constexpr std::string_view begin_mark = "    var units = ";
    const std::size_t begin = rule.find(begin_mark);
    invariant(begin != std::string_view::npos, "the rule has a pattern for units");
    std::vector<std::string> patterns;
    for (const std::string& unit : units) patterns.push_back(as_pattern(unit));
    // Without the comments, which explain the pattern that is replaced.
    const std::size_t code = rule.find("polkit.addRule");
    const std::size_t comment = rule.find("    //", code);
    return fmt::format(
        "// Written by keyturnctl: lets keyturnd restart the units of its policy, and start and "
        "stop\n"
        "// its own extra connectors (keyturn-surge@), and nothing else.\n"
        "// `keyturnctl setup` and `keyturnctl adopt` write it again when the policy changes.\n\n"
        "{}{}/^({})$/;{}",
        rule.substr(code, std::min(comment, begin) - code), begin_mark, fmt::join(patterns, "|"),
        rule.substr(rule.find('\n', begin)));
}

}  // namespace keyturn
