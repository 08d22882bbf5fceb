#include "policy/reader.hpp"

#include "policy/key_table.hpp"
#include "policy/suggestion.hpp"
#include "policy/unit_pattern.hpp"
#include "policy/value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <type_traits>
#include <utility>

namespace keyturn {
namespace {

using Kind = DocumentNode::Kind;

/// What the values of the section being read go into; the table's targets name a member of one.
struct Cursor {
    CredentialSource* credential = nullptr;
    TunnelDraft* tunnel = nullptr;
};

std::string_view word_for(Kind kind) {
    switch (kind) {
        case Kind::null: return "nothing";
        case Kind::scalar: return "a single value";
        case Kind::list: return "a list";
        case Kind::map: return "keys of its own";
    }
    return "something else";
}

/// True for a key under which people put secrets.
bool names_a_secret(std::string_view key) {
    static constexpr std::array words{"secret", "token",  "password", "passwd",
                                      "key",    "bearer", "auth"};
    std::string lower{key};
    std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
        return static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    });
    return std::any_of(words.begin(), words.end(),
                       [&](const char* word) { return lower.find(word) != std::string::npos; });
}

/// Says where a key that is unknown in `scope` belongs; empty when it is known nowhere.
std::string find_home(std::string_view key, KeyScope scope) {
    for (const KeySpec* spec : keys_in({scope.path, false})) {
        if (scope.in_defaults && spec->name() == key) {
            return "is each tunnel's own; move it from `defaults` to the tunnel";
        }
    }
    for (const KeySpec& spec : key_table()) {
        if (spec.name() != key || spec.parent() == scope.path) continue;
        if (spec.parent().empty()) return "belongs to the top of the file";
        const auto dot = spec.parent().rfind('.');
        const std::string_view section =
            spec.parent().substr(dot == std::string_view::npos ? 0 : dot + 1);
        return fmt::format("belongs under `{}:`", section == "NAME" ? spec.parent() : section);
    }
    return {};
}

class Reader {
  public:
    explicit Reader(ProblemList& problems) : problems_(problems) {}

    PolicyDraft read(const DocumentNode& document);

  private:
    void read_section(const DocumentNode& map, Place place, KeyScope scope, Cursor cursor);
    void read_key(const KeySpec& spec, const DocumentEntry& entry, KeyScope scope, Cursor cursor);
    void read_named(const KeySpec& spec, const DocumentEntry& entry);
    void read_credential(const DocumentEntry& entry);
    void read_tunnel(const DocumentEntry& entry);
    void read_scalar(const KeySpec& spec, const DocumentEntry& entry, Cursor cursor);
    void read_units(const KeySpec& spec, const DocumentEntry& entry, TunnelDraft& tunnel);
    void report_unknown(const DocumentEntry& entry, KeyScope scope);
    void report_missing(const KeySpec& spec, Place place, KeyScope scope, Cursor cursor);
    void report_type(const KeySpec& spec, const DocumentEntry& entry);
    void hide_values(const DocumentNode& node);
    void store(const KeySpec& spec, PolicyValue value, Cursor cursor);

    ProblemList& problems_;
    PolicyDraft draft_;
};

PolicyDraft Reader::read(const DocumentNode& document) {
    if (document.kind != Kind::map) {
        problems_.add(document.place,
                      "a policy is made of keys such as `version: 1`, with a space after the `:`");
        return std::move(draft_);
    }
    read_section(document, {1, 1}, {}, {});
    return std::move(draft_);
}

void Reader::read_section(const DocumentNode& map, Place place, KeyScope scope, Cursor cursor) {
    const std::vector<const KeySpec*> specs = keys_in(scope);
    for (const KeySpec* spec : specs) {
        if (const DocumentEntry* entry = map.find(spec->name())) {
            read_key(*spec, *entry, scope, cursor);
        } else if (spec->required && !scope.in_defaults) {
            report_missing(*spec, place, scope, cursor);
        }
    }
    for (const DocumentEntry& entry : map.entries) {
        const bool known = std::any_of(specs.begin(), specs.end(), [&](const KeySpec* spec) {
            return spec->name() == entry.key;
        });
        if (!known) report_unknown(entry, scope);
    }
}

void Reader::read_key(const KeySpec& spec, const DocumentEntry& entry, KeyScope scope,
                      Cursor cursor) {
    if (cursor.tunnel != nullptr) {
        // A value of its own replaces what `defaults` gave, and what was wrong with that.
        cursor.tunnel->given.erase(spec.path);
        cursor.tunnel->broken.erase(spec.path);
    }
    const DocumentNode& value = entry.value;
    if (value.refused) {
        if (cursor.tunnel != nullptr) cursor.tunnel->broken.insert(spec.path);
        return;
    }
    if (spec.kind == KeyKind::section) {
        if (value.kind != Kind::map && value.kind != Kind::null) return report_type(spec, entry);
        if (spec.path == "defaults") cursor.tunnel = &draft_.defaults;
        return read_section(value, entry.key_place, scope_inside(spec, scope), cursor);
    }
    if (spec.kind == KeyKind::soak && value.kind == Kind::map) {
        return read_section(value, entry.key_place, scope_inside(spec, scope), cursor);
    }
    if (spec.kind == KeyKind::named_sections) return read_named(spec, entry);
    if (spec.kind == KeyKind::unit_patterns) return read_units(spec, entry, *cursor.tunnel);
    read_scalar(spec, entry, cursor);
}

void Reader::read_named(const KeySpec& spec, const DocumentEntry& entry) {
    if (entry.value.kind != Kind::map && entry.value.kind != Kind::null) {
        return report_type(spec, entry);
    }
    if (entry.value.entries.empty()) {
        problems_.add(entry.key_place, fmt::format("`{}` is empty; add at least one", spec.name()));
    }
    for (const DocumentEntry& named : entry.value.entries) {
        if (const Result<void> checked = check_own_name(named.key); !checked) {
            problems_.add(named.key_place, fmt::format("the name {}", checked.error().text));
        }
        if (named.value.refused) continue;
        if (named.value.kind != Kind::map) {
            if (spec.path != "tunnels") hide_values(named.value);
            problems_.add(named.value.place,
                          fmt::format("{} takes keys of its own, not {}", in_backticks(named.key),
                                      word_for(named.value.kind)));
            continue;
        }
        if (spec.path == "tunnels")
            read_tunnel(named);
        else
            read_credential(named);
    }
}

void Reader::read_credential(const DocumentEntry& entry) {
    CredentialSource& source = draft_.cloudflare.credentials[entry.key];
    draft_.credential_places[entry.key] = entry.key_place;
    read_section(entry.value, entry.key_place, {"cloudflare.credentials.NAME", false},
                 {&source, nullptr});
    const DocumentEntry* const credential = entry.value.find("credential");
    const DocumentEntry* const file = entry.value.find("file");
    if (credential != nullptr && file != nullptr) {
        problems_.add(std::max(credential->key_place, file->key_place),
                      "a credential has `credential` or `file`, not both; delete one");
    }
    if (credential == nullptr && file == nullptr) {
        problems_.add(
            entry.key_place,
            fmt::format("{} says not where the API token is; add `credential: NAME` (systemd) "
                        "or `file: /PATH`",
                        in_backticks(entry.key)));
    }
}

void Reader::read_tunnel(const DocumentEntry& entry) {
    TunnelDraft tunnel = draft_.defaults;
    tunnel.policy.name = entry.key;
    tunnel.place = entry.key_place;
    read_section(entry.value, entry.key_place, {"tunnels.NAME", false}, {nullptr, &tunnel});
    draft_.tunnels.push_back(std::move(tunnel));
}

void Reader::read_scalar(const KeySpec& spec, const DocumentEntry& entry, Cursor cursor) {
    const auto refuse = [&] {
        if (cursor.tunnel != nullptr) cursor.tunnel->broken.insert(spec.path);
    };
    if (entry.value.kind != Kind::scalar) {
        refuse();
        return report_type(spec, entry);
    }
    Result<PolicyValue> value = read_value(spec, entry.value);
    if (!value) {
        refuse();
        const bool holds_password =
            spec.kind == KeyKind::https_url && entry.value.text.find('@') != std::string::npos;
        if (holds_password) hide_values(entry.value);
        problems_.add(entry.value.place, fmt::format("`{}` {}", spec.name(), value.error().text));
        return;
    }
    if (const std::string oddity = oddity_of(spec, *value); !oddity.empty()) {
        draft_.warnings.push_back({entry.value.place, fmt::format("`{}` {}", spec.name(), oddity)});
    }
    if (cursor.tunnel != nullptr) cursor.tunnel->given[spec.path] = entry.value.place;
    if (spec.kind == KeyKind::soak) {
        cursor.tunnel->policy.rollout.soak_min = std::get<Milliseconds>(*value);
    }
    store(spec, *std::move(value), cursor);
}

void Reader::read_units(const KeySpec& spec, const DocumentEntry& entry, TunnelDraft& tunnel) {
    const DocumentNode& list = entry.value;
    tunnel.given[spec.path] = list.place;
    if (list.kind == Kind::scalar) {
        tunnel.broken.insert(spec.path);
        problems_.add(list.place,
                      fmt::format("`units` is a list; write `[\"{}\"]`", quote_safe(list.text)));
        return;
    }
    if (list.kind != Kind::list) {
        tunnel.broken.insert(spec.path);
        return report_type(spec, entry);
    }
    if (list.items.empty() || list.items.size() > units_per_tunnel_max) {
        tunnel.broken.insert(spec.path);
        problems_.add(list.place, fmt::format("`units` names between 1 and {} units, not {}",
                                              units_per_tunnel_max, list.items.size()));
        return;
    }
    for (const DocumentNode& item : list.items) {
        if (item.refused) continue;
        const Result<void> checked = item.kind == Kind::scalar
                                         ? check_unit_pattern(item.text)
                                         : Error{Fault::invalid, "holds names, each one text", {}};
        if (!checked) {
            tunnel.broken.insert(spec.path);
            problems_.add(item.place, fmt::format("`units` {}", checked.error().text));
            continue;
        }
        tunnel.policy.units.push_back(item.text);
        tunnel.unit_places.push_back(item.place);
    }
}

void Reader::report_unknown(const DocumentEntry& entry, KeyScope scope) {
    const std::string name = in_backticks(entry.key);
    if (names_a_secret(entry.key)) hide_values(entry.value);
    if (problems_.crowded()) {
        return problems_.add(entry.key_place, fmt::format("unknown key {}", name));
    }
    if (const std::string home = find_home(entry.key, scope); !home.empty()) {
        problems_.add(entry.key_place, fmt::format("{} {}", name, home));
        return;
    }
    std::vector<std::string_view> here;
    for (const KeySpec* spec : keys_in(scope)) here.push_back(spec->name());
    std::string remedy = did_you_mean(entry.key, here);
    if (remedy.empty()) remedy = fmt::format("; known here: {}", fmt::join(here, ", "));
    const std::string_view lesson =
        names_a_secret(entry.key) ? "; a policy says where a secret is and never holds one" : "";
    problems_.add(entry.key_place, fmt::format("unknown key {}{}{}", name, lesson, remedy));
}

void Reader::report_missing(const KeySpec& spec, Place place, KeyScope scope, Cursor cursor) {
    if (scope.path.empty()) {
        const std::string_view remedy =
            spec.path == "version" ? "; write `version: 1` at its top" : "";
        problems_.add({}, fmt::format("the policy has no `{}`{}", spec.name(), remedy));
        return;
    }
    if (cursor.tunnel == nullptr) {
        problems_.add(place, fmt::format("`{}` has no `{}`; add {}", spec.parent(), spec.name(),
                                         description_of(spec.kind)));
        return;
    }
    if (cursor.tunnel->given.contains(spec.path) || cursor.tunnel->broken.contains(spec.path))
        return;
    problems_.add(place, fmt::format("tunnel {} has no `{}`; add {}{}",
                                     in_backticks(cursor.tunnel->policy.name), spec.name(),
                                     description_of(spec.kind),
                                     spec.in_defaults ? ", here or under `defaults`" : ""));
}

void Reader::report_type(const KeySpec& spec, const DocumentEntry& entry) {
    if (entry.value.kind == Kind::null) {
        problems_.add(entry.key_place, fmt::format("`{}` has no value; add {}, or delete the key",
                                                   spec.name(), description_of(spec.kind)));
        return;
    }
    problems_.add(entry.value.place,
                  fmt::format("`{}` takes {}, not {}", spec.name(), description_of(spec.kind),
                              word_for(entry.value.kind)));
}

void Reader::hide_values(const DocumentNode& node) {
    // The quotes are hidden along with the text: an escape makes the source longer than the value.
    if (node.kind == Kind::scalar) problems_.hide(node.place, problems_.line_at(node.place).size());
    for (const DocumentNode& item : node.items) hide_values(item);
    for (const DocumentEntry& entry : node.entries) hide_values(entry.value);
}

void Reader::store(const KeySpec& spec, PolicyValue value, Cursor cursor) {
    const auto set = [&]<class Owner, class Field>(Field Owner::*member) {
        if constexpr (!std::is_same_v<Field, std::vector<std::string>>) {
            Field& field = [&]() -> Field& {
                if constexpr (std::is_same_v<Owner, CloudflarePolicy>)
                    return draft_.cloudflare.*member;
                else if constexpr (std::is_same_v<Owner, CredentialSource>)
                    return cursor.credential->*member;
                else if constexpr (std::is_same_v<Owner, TunnelPolicy>)
                    return cursor.tunnel->policy.*member;
                else if constexpr (std::is_same_v<Owner, RotatePolicy>)
                    return cursor.tunnel->policy.rotate.*member;
                else if constexpr (std::is_same_v<Owner, DriftPolicy>)
                    return cursor.tunnel->policy.drift.*member;
                else
                    return cursor.tunnel->policy.rollout.*member;
            }();
            field = std::get<Field>(std::move(value));
        }
    };
    std::visit(
        [&](auto target) {
            if constexpr (!std::is_same_v<decltype(target), std::monostate>) set(target);
        },
        spec.target);
}

}  // namespace

PolicyDraft read_document(const DocumentNode& document, ProblemList& problems) {
    return Reader(problems).read(document);
}

}  // namespace keyturn
