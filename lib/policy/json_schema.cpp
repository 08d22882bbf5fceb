#include "policy/json_schema.hpp"

#include "policy/key_paths.hpp"
#include "policy/key_table.hpp"
#include "policy/value.hpp"

#include <nlohmann/json.hpp>

#include <sstream>

namespace keyturn {
namespace {

using Json = nlohmann::ordered_json;

constexpr int indent = 2;
/// systemd's time spans, without months and years; 0 needs no unit.
constexpr const char* duration_pattern =
    "^([0-9]+ *(ms|msec|s|sec|seconds?|m|min|minutes?|h|hr|hours?|d|days?|w|weeks?) *)+$";
constexpr const char* store_url_pattern = "^https://|^http://(localhost|127\\.|\\[::1\\])";

Json section_at(KeyScope scope);

Json text_like(const char* pattern) {
    return {{"type", "string"}, {"pattern", pattern}};
}

Json duration() {
    return {{"anyOf", Json::array({text_like(duration_pattern), {{"const", 0}}})}};
}

Json choices_of(const KeySpec& spec) {
    Json words = Json::array();
    for (const std::string_view word : spec.choices()) words.push_back(word);
    return {{"enum", std::move(words)}};
}

Json type_of(const KeySpec& spec, KeyScope scope) {
    switch (spec.kind) {
        case KeyKind::section: return section_at(scope_inside(spec, scope));
        case KeyKind::named_sections:
            return {{"type", "object"},
                    {"minProperties", 1},
                    {"propertyNames", {{"pattern", "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$"}}},
                    {"additionalProperties", section_at(scope_inside(spec, scope))}};
        case KeyKind::section_list:
            return {{"type", "array"},
                    {"maxItems", spec.maximum},
                    {"items", section_at(scope_inside(spec, scope))}};
        case KeyKind::integer:
            return {{"type", "integer"}, {"minimum", spec.minimum}, {"maximum", spec.maximum}};
        case KeyKind::boolean: return {{"type", "boolean"}};
        case KeyKind::duration: return duration();
        case KeyKind::soak:
            return {{"anyOf", Json::array({duration(), section_at(scope_inside(spec, scope))})}};
        case KeyKind::word: return choices_of(spec);
        case KeyKind::account_id: return text_like("^[0-9A-Fa-f]{32}$");
        case KeyKind::tunnel_id:
            return text_like("^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$");
        case KeyKind::file_path: return text_like("^/.*[^/]$");
        case KeyKind::https_url: return text_like("^https://");
        case KeyKind::secret_source: {
            Json source = section_at(scope_inside(spec, scope));
            source["minProperties"] = source["maxProperties"] = 1;
            return source;
        }
        case KeyKind::store_url: return text_like(store_url_pattern);
        case KeyKind::store_urls:
            return {{"type", "array"},
                    {"minItems", 1},
                    {"maxItems", spec.maximum},
                    {"items", text_like(store_url_pattern)}};
        case KeyKind::bucket_name: return text_like("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$");
        case KeyKind::region: return text_like("^[A-Za-z0-9_-]+$");
        case KeyKind::host_name: return text_like("^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$");
        case KeyKind::ip_address: return text_like("^[0-9A-Fa-f.:]+$");
        case KeyKind::feature_tag: return text_like("^keyturn-[A-Za-z0-9_-]{1,32}$");
        case KeyKind::key_prefix: return text_like("^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$");
        case KeyKind::proxy_url: return text_like("^http://[^@]+$");
        case KeyKind::host_patterns: return {{"type", "array"}, {"items", {{"type", "string"}}}};
        case KeyKind::unit_patterns:
            return {{"type", "array"},
                    {"minItems", 1},
                    {"maxItems", units_per_tunnel_max},
                    {"items", {{"type", "string"}}}};
        case KeyKind::unit_addresses:
            return {
                {"type", "object"},
                {"maxProperties", units_per_tunnel_max},
                {"propertyNames", {{"pattern", "\\.service$"}}},
                {"additionalProperties", text_like("^([0-9.]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]{1,5}$")}};
        case KeyKind::freeze_begin:
        case KeyKind::freeze_end:
            return text_like("^[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}(:[0-9]{2})?)?$");
        case KeyKind::credential_name:
        case KeyKind::user_name:
        case KeyKind::reference:
        case KeyKind::time_zone:
        case KeyKind::calendar:
        case KeyKind::cron:
        case KeyKind::remark: break;
    }
    return {{"type", "string"}};
}

Json default_of(const KeySpec& spec) {
    const std::string text{spec.default_value};
    if (spec.kind == KeyKind::integer || spec.kind == KeyKind::boolean) return Json::parse(text);
    return text;
}

Json key_of(const KeySpec& spec, KeyScope scope) {
    Json key{{"description", spec.help}};
    key.update(type_of(spec, scope));
    if (!spec.default_value.empty()) key["default"] = default_of(spec);
    return key;
}

/// A key that a tunnel must have may come from `defaults` instead. So nothing is required under
/// `defaults`, and a tunnel must have only the keys that `defaults` cannot hold.
bool is_required(const KeySpec& spec, KeyScope scope) {
    if (!spec.required) return false;
    if (scope.path != tunnel_path) return true;
    return !scope.in_defaults && spec.own;
}

Json section_at(KeyScope scope) {
    Json properties = Json::object();
    Json required = Json::array();
    for (const KeySpec* spec : keys_in(scope)) {
        properties[std::string{spec->name()}] = key_of(*spec, scope);
        if (is_required(*spec, scope)) required.push_back(spec->name());
    }
    Json section{{"type", "object"}, {"additionalProperties", false}};
    if (!required.empty()) section["required"] = std::move(required);
    section["properties"] = std::move(properties);
    return section;
}

}  // namespace

std::string json_schema() {
    Json schema{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
                {"title", "Policy of keyturnd, /etc/keyturn/keyturn.yaml"}};
    schema.update(section_at({}));
    return schema.dump(indent) + '\n';
}

}  // namespace keyturn
