#include "policy/json_schema.hpp"
#include "policy/key_table.hpp"
#include "unit/policy/key_values.hpp"
#include "unit/policy/parts.hpp"
#include "unit/shipped_file.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>
#include <sstream>

namespace keyturn {
namespace {

using testing::Contains;
using Words = std::vector<std::string>;

/// The path as the manual page writes it: without "tunnels.NAME." if `defaults` may hold the key.
std::string short_path(const KeySpec& spec) {
    constexpr std::string_view tunnel = "tunnels.NAME.";
    return std::string{spec.in_defaults() ? spec.path.substr(tunnel.size()) : spec.path};
}

/// Each word of a text, without the punctuation that follows it.
Words words_in(const std::string& text) {
    std::istringstream stream(text);
    Words words;
    for (std::string word; stream >> word;) {
        word.erase(word.find_last_not_of(".,;:)") + 1);
        if (!word.empty()) words.push_back(word);
    }
    return words;
}

/// The values that a text calls a default, as in "Default: 10m." or ".Li hold", ".Pq the default".
Words defaults_claimed_in(const std::string& text) {
    Words claimed = shipped::found_in(text, R"(\bDefault: (\S+?)[.,;]?$)");
    for (std::string& word : shipped::found_in(text, R"(^\.Li (\S+)\n\.Pq the default)")) {
        claimed.push_back(std::move(word));
    }
    return claimed;
}

/// An entry of the manual page, `.It Sy A , B`, and the text below it.
struct ManualEntry {
    Words keys;
    std::string text;
};

std::vector<ManualEntry> manual_entries() {
    std::istringstream page(shipped::text_of("packaging/man/keyturn.yaml.5"));
    std::vector<ManualEntry> entries;
    bool inside = false;
    for (std::string line; std::getline(page, line);) {
        if (line.starts_with(".It ") || line.starts_with(".El")) inside = false;
        if (line.starts_with(".It Sy ")) {
            inside = true;
            entries.push_back({words_in(line.substr(7)), {}});
        } else if (inside) {
            entries.back().text += line + '\n';
        }
    }
    return entries;
}

ManualEntry manual_entry_of(const KeySpec& spec) {
    const std::vector<ManualEntry> entries = manual_entries();
    const auto found = std::ranges::find_if(entries, [&](const ManualEntry& entry) {
        return std::ranges::count(entry.keys, short_path(spec)) > 0;
    });
    return found == entries.end() ? ManualEntry{} : *found;
}

TEST(KeyDocuments, ManualPageListsTheKeysOfTheTable) {
    std::multiset<std::string> keys{"cloudflare.credentials.NAME"};
    for (const KeySpec& spec : key_table()) {
        const bool only_holds_others =
            spec.kind == KeyKind::section || spec.kind == KeyKind::named_sections;
        if (!only_holds_others) keys.insert(short_path(spec));
    }
    std::multiset<std::string> listed;
    for (const ManualEntry& entry : manual_entries()) {
        listed.insert(entry.keys.begin(), entry.keys.end());
    }
    EXPECT_EQ(listed, keys);
}

TEST(KeyDocuments, ManualPageNamesEveryDefaultAndEveryChoice) {
    for (const KeySpec& spec : key_table()) {
        const Words words = words_in(manual_entry_of(spec).text);
        if (!spec.default_value.empty()) {
            EXPECT_THAT(words, Contains(std::string{spec.default_value})) << spec.path;
        }
        if (spec.choices == nullptr) continue;
        for (const std::string_view choice : spec.choices()) {
            EXPECT_THAT(words, Contains(std::string{choice})) << spec.path;
        }
    }
}

TEST(KeyDocuments, NoTextClaimsAnotherDefault) {
    for (const KeySpec& spec : key_table()) {
        if (spec.default_value.empty()) continue;
        const ManualEntry entry = manual_entry_of(spec);
        Words claimed = defaults_claimed_in(std::string{spec.help});
        if (entry.keys.size() == 1) {
            const Words by_manual = defaults_claimed_in(entry.text);
            claimed.insert(claimed.end(), by_manual.begin(), by_manual.end());
        }
        EXPECT_THAT(claimed, testing::Each(std::string{spec.default_value})) << spec.path;
    }
}

TEST(KeyDocuments, ExampleHasTheBuiltInValues) {
    const PolicyOutcome outcome =
        parse_policy(shipped::text_of("config/keyturn.yaml"), "keyturn.yaml");
    ASSERT_EQ(problems_of(outcome), "");
    for (const KeySpec& spec : key_table()) {
        if (spec.default_value.empty()) continue;
        EXPECT_EQ(value_in(std::get<Policy>(outcome), spec), value_in(built_in(), spec))
            << spec.path;
    }
}

TEST(KeyDocuments, ExampleShowsEveryKeyAndEveryDefault) {
    const std::string example = shipped::text_of("config/keyturn.yaml");
    for (const KeySpec& spec : key_table()) {
        const Words written = shipped::found_in(
            example, fmt::format(R"(\b{}:(?: (.*?)(?= +#|[,}}]|$)|$))", spec.name()));
        EXPECT_FALSE(written.empty()) << spec.path << " is not in the example";
        if (!spec.default_value.empty()) {
            EXPECT_THAT(written, Contains(std::string{spec.default_value})) << spec.path;
        }
    }
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

TEST(KeyDocuments, SchemaHasTheKeysOfTheTable) {
    std::set<std::string> expected;
    for (const KeySpec& spec : key_table()) {
        expected.emplace(spec.path);
        constexpr std::string_view tunnel = "tunnels.NAME.";
        if (spec.in_defaults()) {
            expected.insert("defaults." + std::string{spec.path.substr(tunnel.size())});
        }
    }
    std::set<std::string> paths;
    collect(nlohmann::json::parse(json_schema()), "", paths);
    EXPECT_EQ(paths, expected);
}

TEST(KeyDocuments, SchemaBesideTheExampleIsUpToDate) {
    EXPECT_EQ(shipped::text_of("config/keyturn.schema.json"), json_schema())
        << "keyturnd --schema >config/keyturn.schema.json";
}

}  // namespace
}  // namespace keyturn
