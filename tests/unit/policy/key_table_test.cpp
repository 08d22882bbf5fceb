#include "policy/key_table.hpp"

#include "policy/document.hpp"
#include "policy/json_schema.hpp"
#include "policy/value.hpp"
#include "unit/policy/parts.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>
#include <type_traits>

namespace keyturn {

// What a value looks like where it does not print itself.
void PrintTo(const Calendar& calendar, std::ostream* out) {
    *out << calendar.text();
}
void PrintTo(const TimeZone& zone, std::ostream* out) {
    *out << zone.name();
}

namespace {

template <class Owner>
Owner first_of(const std::vector<Owner>& list) {
    return list.empty() ? Owner{} : list.front();
}

template <class Owner>
Owner part_of(const Policy& policy) {
    if constexpr (std::is_same_v<Owner, CloudflarePolicy>) return policy.cloudflare;
    if constexpr (std::is_same_v<Owner, CredentialSource>)
        return policy.cloudflare.credentials.at("main");
    if constexpr (std::is_same_v<Owner, TunnelPolicy>) return policy.tunnels.at(0);
    if constexpr (std::is_same_v<Owner, Schedule>) return policy.tunnels.at(0).schedule;
    if constexpr (std::is_same_v<Owner, Window>)
        return first_of(policy.tunnels.at(0).schedule.windows);
    if constexpr (std::is_same_v<Owner, Freeze>)
        return first_of(policy.tunnels.at(0).schedule.freezes);
    if constexpr (std::is_same_v<Owner, RolloutPolicy>) return policy.tunnels.at(0).rollout;
    if constexpr (std::is_same_v<Owner, DriftPolicy>) return policy.tunnels.at(0).drift;
}

template <class Owner, class Field>
std::string shown(const Policy& policy, Field Owner::*member) {
    const Field value = part_of<Owner>(policy).*member;
    if constexpr (Named<Field>) {
        return testing::PrintToString(std::string(name_of(value)));
    } else {
        return testing::PrintToString(value);
    }
}

/// The value of a key in a policy as text; "" for keys without a target.
std::string value_in(const Policy& policy, const KeySpec& spec) {
    return std::visit(
        [&](auto target) -> std::string {
            if constexpr (std::is_same_v<decltype(target), std::monostate>)
                return {};
            else
                return shown(policy, target);
        },
        spec.target);
}

PolicyValue default_of(const KeySpec& spec) {
    DocumentNode scalar;
    scalar.kind = DocumentNode::Kind::scalar;
    scalar.text = spec.default_value;
    return read_value(spec, scalar).value();
}

Policy built_in() {
    Policy policy;
    policy.tunnels.emplace_back();
    policy.cloudflare.credentials["main"];
    return policy;
}

TEST(KeyTable, StandardValuesAreThoseOfThePolicy) {
    int checked = 0;
    for (const KeySpec& spec : key_table()) {
        if (spec.default_value.empty() || std::holds_alternative<std::monostate>(spec.target))
            continue;
        const PolicyValue value = default_of(spec);
        const std::string written =
            std::visit([](const auto& value) { return testing::PrintToString(value); }, value);
        EXPECT_EQ(written, value_in(built_in(), spec)) << spec.path;
        ++checked;
    }
    EXPECT_GE(checked, 13);
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
                             spec.kind == KeyKind::soak || spec.kind == KeyKind::section_list;
        EXPECT_EQ(bounded, spec.maximum > 0) << spec.path;
        EXPECT_LE(spec.minimum, spec.maximum) << spec.path;
        EXPECT_LE(spec.usual_minimum, spec.maximum) << spec.path;
        EXPECT_EQ(spec.kind == KeyKind::word, spec.choices != nullptr) << spec.path;
    }
}

/// A sound value that is not the default, and does not clash with the other defaults.
std::string other_value(const KeySpec& spec) {
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
        if (!spec.in_defaults || std::holds_alternative<std::monostate>(spec.target)) continue;
        std::string text = as_default(spec, other_value(spec));
        text.resize(text.size() - 2);
        if (spec.name() != "account") text += ", account: 699d98642c564d2e855e9661899b7252";
        if (spec.name() != "credential") text += ", credential: main";
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
                                          "windows", "freeze", "rollout", "drift"}));
    EXPECT_EQ(keys_in({"tunnels.NAME", false}).size(), names.size() + 2);
    EXPECT_EQ(keys_in({}).size(), 4U);
}

std::string text_of_file(const std::string& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
}

/// As the manual page writes it: what `defaults` may hold, too, without "tunnels.NAME.".
std::string_view short_path(const KeySpec& spec) {
    return spec.in_defaults ? spec.path.substr(std::string_view{"tunnels.NAME."}.size())
                            : spec.path;
}

/// Each `.It Sy A , B` of the manual page.
std::set<std::string> keys_of_the_manual() {
    std::istringstream page(text_of_file(KEYTURN_MANUAL_PAGE));
    std::set<std::string> keys;
    for (std::string line; std::getline(page, line);) {
        if (!line.starts_with(".It Sy ")) continue;
        std::istringstream words(line.substr(7));
        for (std::string word; words >> word;) {
            if (word != ",") keys.insert(word);
        }
    }
    return keys;
}

TEST(KeyTable, IsWhatTheManualPageLists) {
    std::set<std::string> keys{"cloudflare.credentials.NAME"};
    for (const KeySpec& spec : key_table()) {
        const bool only_holds_others =
            spec.kind == KeyKind::section || spec.kind == KeyKind::named_sections;
        if (!only_holds_others) keys.emplace(short_path(spec));
    }
    EXPECT_EQ(keys_of_the_manual(), keys);
}

/// Every property of a schema, as a path of the table.
void collect(const nlohmann::json& schema, const std::string& path, std::set<std::string>& paths) {
    const auto deeper = [&](const std::string& name) {
        return path.empty() ? name : path + "." + name;
    };
    if (schema.contains("properties")) {
        for (const auto& [name, key] : schema["properties"].items()) {
            paths.insert(deeper(name));
            collect(key, deeper(name), paths);
        }
    }
    const auto named = schema.find("additionalProperties");
    if (named != schema.end() && named->is_object()) collect(*named, deeper("NAME"), paths);
    if (schema.contains("items")) collect(schema["items"], path, paths);
    for (const auto& choice : schema.value("anyOf", nlohmann::json::array())) {
        collect(choice, path, paths);
    }
}

TEST(KeyTable, IsTheJsonSchema) {
    std::set<std::string> expected;
    for (const KeySpec& spec : key_table()) {
        expected.emplace(spec.path);
        constexpr std::string_view tunnel = "tunnels.NAME.";
        if (spec.in_defaults) {
            expected.insert("defaults." + std::string{spec.path.substr(tunnel.size())});
        }
    }
    std::set<std::string> paths;
    collect(nlohmann::json::parse(json_schema()), "", paths);
    EXPECT_EQ(paths, expected);
}

TEST(KeyTable, SchemaBesideTheExamplesIsUpToDate) {
    EXPECT_EQ(text_of_file(std::string{KEYTURN_CONFIG_DIRECTORY} + "/keyturn.schema.json"),
              json_schema())
        << "keyturnd --schema >config/keyturn.schema.json";
}

}  // namespace
}  // namespace keyturn
