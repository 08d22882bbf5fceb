#include "policy/refusals.hpp"

#include "policy/key_paths.hpp"
#include "policy/suggestion.hpp"
#include "policy/unknown_key.hpp"

#include <fmt/format.h>

namespace keyturn {

using Kind = DocumentNode::Kind;

std::string_view word_for(Kind kind) {
    switch (kind) {
        case Kind::null: return "nothing";
        case Kind::scalar: return "a single value";
        case Kind::list: return "a list";
        case Kind::map: return "nested keys";
    }
    return "something else";
}

void Refusals::unknown_key(const DocumentEntry& entry, KeyScope scope) {
    if (names_a_secret(entry.key)) hide_values(entry.value);
    problems_.add(entry.key_place, problems_.crowded()
                                       ? fmt::format("unknown key {}", in_backticks(entry.key))
                                       : describe_unknown(entry.key, scope));
}

void Refusals::missing_key(const KeySpec& spec, Place place, KeyScope scope, const Cursor& cursor) {
    if (scope.path.empty()) {
        const std::string_view remedy =
            spec.path == "version" ? "; write `version: 1` at its top" : "";
        problems_.add({}, fmt::format("the policy has no `{}`{}", spec.name(), remedy));
        return;
    }
    const bool of_a_tunnel = scope.path == tunnel_path;
    if (of_a_tunnel && scope.in_defaults) return;
    const bool of_an_entry = cursor.window != nullptr || cursor.freeze != nullptr;
    const TunnelDraft* const tunnel = cursor.tunnel;
    if (tunnel != nullptr && !of_an_entry &&
        (tunnel->given.contains(spec.path) || tunnel->broken.contains(spec.path)))
        return;
    if (!of_a_tunnel) {
        problems_.add(place,
                      fmt::format("{}`{}` has no `{}`; add {}", of_an_entry ? "an entry of " : "",
                                  last_name(scope.path), spec.name(), description_of(spec.kind)));
        return;
    }
    problems_.add(place,
                  fmt::format("tunnel {} has no `{}`; add {}{}", in_backticks(tunnel->policy.name),
                              spec.name(), description_of(spec.kind),
                              spec.own ? "" : ", here or under `defaults`"));
}

void Refusals::wrong_type(const KeySpec& spec, const DocumentEntry& entry, TunnelDraft* tunnel) {
    const std::string_view wanted = description_of(spec.kind);
    if (entry.value.kind == Kind::null) {
        return wrong_value(spec, tunnel, entry.key_place,
                           fmt::format("has no value; add {}, or delete the key", wanted));
    }
    wrong_value(spec, tunnel, entry.value.place,
                fmt::format("takes {}, not {}", wanted, word_for(entry.value.kind)));
}

void Refusals::wrong_value(const KeySpec& spec, TunnelDraft* tunnel, Place place,
                           std::string_view text) {
    if (tunnel != nullptr) tunnel->broken.insert(spec.path);
    problems_.add(place, fmt::format("`{}` {}", spec.name(), text));
}

void Refusals::hide_password(const KeySpec& spec, const DocumentNode& value) {
    const bool is_url = spec.kind == KeyKind::https_url || spec.kind == KeyKind::proxy_url ||
                        spec.kind == KeyKind::store_url || spec.kind == KeyKind::store_urls;
    const char mark = is_url ? '@' : ':';
    const bool may_be =
        is_url || spec.kind == KeyKind::credential_name || spec.kind == KeyKind::user_name;
    if (may_be && value.text.find(mark) != std::string::npos) hide_values(value);
}

void Refusals::hide_values(const DocumentNode& node) {
    // Hide the quotes along with the text: escapes make the source longer than the value.
    if (node.kind == Kind::scalar) problems_.hide(node.place, problems_.line_at(node.place).size());
    for (const DocumentNode& item : node.items) hide_values(item);
    for (const DocumentEntry& entry : node.entries) hide_values(entry.value);
}

}  // namespace keyturn
