#include "policy/key_table.hpp"

#include "policy/document.hpp"
#include "policy/key_paths.hpp"
#include "policy/value.hpp"
#include "unit/policy/key_values.hpp"
#include "unit/policy/parts.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace keyturn {
namespace {

PolicyValue default_of(const KeySpec& spec) {
    DocumentNode scalar;
    scalar.kind = DocumentNode::Kind::scalar;
    scalar.text = spec.default_value;
    return read_value(spec, scalar).value();
}

TEST(KeyTable, StandardValuesAreThoseOfThePolicy) {
    int checked = 0;
    for (const KeySpec& spec : key_table()) {
        if (spec.default_value.empty() || std::holds_alternative<std::monostate>(spec.target))
            continue;
        const PolicyValue built_in_value = default_of(spec);
        const std::string written = std::visit(
            [](const auto& value) { return testing::PrintToString(value); }, built_in_value);
        EXPECT_EQ(written, value_in(built_in(), spec)) << spec.path;
        ++checked;
    }
    EXPECT_GE(checked, 13);
}

TEST(KeyTable, WhatHasNoStandardValueIsEmptyUnlessItIsGiven) {
    int checked = 0;
    for (const KeySpec& spec : key_table()) {
        if (!spec.default_value.empty() || spec.required) continue;
        const auto nothing = [](auto target) -> std::string {
            if constexpr (std::is_same_v<decltype(target), std::monostate>) {
                return {};
            } else {
                return shown_empty(target);
            }
        };
        EXPECT_EQ(value_in(built_in(), spec), std::visit(nothing, spec.target)) << spec.path;
        ++checked;
    }
    EXPECT_GE(checked, 7);
}

TEST(KeyTable, PathsAreUniqueAndInsideSectionsThatAreThere) {
    std::set<std::string_view> paths;
    for (const KeySpec& spec : key_table()) {
        EXPECT_TRUE(paths.insert(spec.path).second) << spec.path;
        std::string_view parent = spec.parent();
        if (parent.ends_with(".NAME")) parent.remove_suffix(5);
        EXPECT_TRUE(parent.empty() || paths.contains(parent)) << spec.path;
    }
}

TEST(KeyTable, EveryKeyIsExplainedInOneSentence) {
    for (const KeySpec& spec : key_table()) {
        EXPECT_TRUE(spec.help.ends_with('.')) << spec.path;
        EXPECT_EQ(spec.help.find('\n'), std::string_view::npos) << spec.path;
        EXPECT_FALSE(description_of(spec.kind).empty());
    }
}

TEST(KeyTable, BoundsMakeSense) {
    for (const KeySpec& spec : key_table()) {
        const bool bounded = spec.kind == KeyKind::integer || spec.kind == KeyKind::duration ||
                             spec.kind == KeyKind::soak || spec.kind == KeyKind::section_list ||
                             spec.kind == KeyKind::store_urls;
        EXPECT_EQ(bounded, spec.maximum > 0) << spec.path;
        EXPECT_LE(spec.minimum, spec.maximum) << spec.path;
        EXPECT_LE(spec.usual_minimum, spec.maximum) << spec.path;
        EXPECT_EQ(spec.kind == KeyKind::word, spec.choices != nullptr) << spec.path;
    }
}

/// The same of a coordinator's key, with the other keys that it needs.
std::string other_coordinator(const KeySpec& spec) {
    const std::string fleet = ", fleet_key: {credential: a}";
    const std::string file = ", kind: file, path: /srv/a" + fleet;
    const std::string bucket =
        ", kind: bucket, endpoint: 'https://a.example', bucket: abc, credential: {file: /a}" +
        fleet;
    const std::string etcd = ", kind: etcd, endpoints: ['https://a.example']" + fleet;
    const std::string hosts = "[{host: a, tag: keyturn-a}, {host: b, tag: keyturn-b}]";
    const auto without = [](std::string text, const std::string& part) {
        return text.erase(text.find(part), part.size());
    };
    if (spec.name() == "kind") return "file, path: /srv/a" + fleet;
    if (spec.name() == "host") return "b, kind: api, hosts: " + hosts;
    if (spec.name() == "path") return "/srv/b" + without(file, ", path: /srv/a");
    if (spec.name() == "lead") return "false" + file;
    if (spec.name() == "fleet_key") return "{file: /b}" + without(file, fleet);
    if (spec.name() == "endpoint")
        return "'https://b.example'" + without(bucket, ", endpoint: 'https://a.example'");
    if (spec.name() == "bucket") return "bcd" + without(bucket, ", bucket: abc");
    if (spec.name() == "region") return "eu-central-1" + bucket;
    if (spec.name() == "credential")
        return "{file: /b}" + without(bucket, ", credential: {file: /a}");
    if (spec.name() == "endpoints")
        return "['https://b.example']" + without(etcd, ", endpoints: ['https://a.example']");
    if (spec.name() == "cert_file") return "/b, key_file: /c" + etcd;
    if (spec.name() == "key_file") return "/b, cert_file: /c" + etcd;
    if (spec.name() == "user") return "robot, password: {file: /a}" + etcd;
    if (spec.name() == "password") return "{file: /b}, user: robot" + etcd;
    return (spec.kind == KeyKind::file_path ? "/b" : "b") + etcd;
}

/// A sound value that is not the default, and does not clash with the other defaults.
std::string other_value(const KeySpec& spec) {
    if (spec.parent() == coordinator_path) return other_coordinator(spec);
    if (spec.name() == "every") return "90d";
    if (spec.name() == "batches") return "1";
    if (spec.name() == "restart") return "never";
    if (spec.name() == "surge") return "never";
    if (spec.name() == "on_failure") return "revert";
    if (spec.name() == "start") return "'Sun 02:00', length: 4h";
    if (spec.name() == "length") return "4h, start: 'Sun 02:00'";
    if (spec.name() == "from") return "2026-12-20, to: 2027-01-04";
    if (spec.name() == "to") return "2027-01-04, from: 2026-12-20";
    if (spec.name() == "why") return "audit, from: 2026-12-20, to: 2027-01-04";
    if (spec.name() == "max_age") return "45d";
    if (spec.path.ends_with("soak.min")) return "90s, max: 20m";
    if (spec.path.ends_with("soak.max")) return "20m, min: 90s";
    switch (spec.kind) {
        case KeyKind::boolean: return "true";
        case KeyKind::integer: return "2";
        case KeyKind::soak: return "20m";
        case KeyKind::duration: return spec.name() == "progress_deadline" ? "3h" : "90s";
        case KeyKind::account_id: return "00000000000000000000000000000001";
        case KeyKind::reference: return "other";
        case KeyKind::time_zone: return "Europe/Berlin";
        case KeyKind::calendar: return "monthly";
        case KeyKind::cron: return "30 3 * * sat";
        default: return "keyturn";
    }
}

bool is_list(std::string_view path) {
    return std::ranges::any_of(key_table(), [&](const KeySpec& spec) {
        return spec.path == path && spec.kind == KeyKind::section_list;
    });
}

/// `value` at `path` below `defaults`, in the flow style.
std::string as_default(const KeySpec& spec, const std::string& value) {
    std::string text = fmt::format("{}: {}", spec.name(), value);
    const std::string_view entry = is_list(spec.parent()) ? "{}: [{{{}}}]" : "{}: {{{}}}";
    std::string_view section = spec.parent().substr(std::string_view{"tunnels.NAME"}.size());
    while (!section.empty()) {
        const auto dot = section.rfind('.');
        text = fmt::format(fmt::runtime(entry), section.substr(dot + 1), text);
        section = section.substr(0, dot);
    }
    return fmt::format("defaults: {{{}}}\n", text);
}

TEST(KeyTable, EveryDefaultReachesTheTunnels) {
    const std::string rest = completed(
        "cloudflare: {credentials: {main: {credential: a}, other: {credential: b}}}\n"
        "tunnels: {web: {tunnel: f70ff985-a4ef-4643-bbbc-4a0ed4fc8415, units: "
        "['web@*.service']}}\n");
    int checked = 0;
    for (const KeySpec& spec : key_table()) {
        // A part of a secret's source, or of a host, belongs to the key that is the whole.
        const bool part = std::holds_alternative<std::string CredentialSource::*>(spec.target) ||
                          spec.parent() == hosts_path;
        if (!spec.in_defaults() || std::holds_alternative<std::monostate>(spec.target) || part)
            continue;
        std::string text = as_default(spec, other_value(spec));
        text.resize(text.size() - 2);
        if (spec.name() != "account") text += ", account: 699d98642c564d2e855e9661899b7252";
        if (spec.path != credential_path) text += ", credential: main";
        const PolicyOutcome outcome = parse_policy(text + "}\n" + rest, "p");
        ASSERT_EQ(problems_of(outcome), "") << spec.path;
        EXPECT_NE(value_in(std::get<Policy>(outcome), spec), value_in(built_in(), spec))
            << spec.path;
        ++checked;
    }
    EXPECT_GE(checked, 15);
}

TEST(KeyTable, DefaultsHoldTheTunnelsKeysExceptWhatIsEachTunnelsOwn) {
    std::set<std::string_view> names;
    for (const KeySpec* spec : keys_in({"tunnels.NAME", true})) names.insert(spec->name());
    EXPECT_EQ(names,
              (std::set<std::string_view>{"account", "credential", "token", "timezone", "rotate",
                                          "windows", "freeze", "rollout", "drift", "coordinator"}));
    EXPECT_EQ(keys_in({"tunnels.NAME", false}).size(), names.size() + 3);
    EXPECT_EQ(keys_in({}).size(), 4U);
}

}  // namespace
}  // namespace keyturn
