#include "state/envelope.hpp"

#include "base/ascii.hpp"
#include "token/digest.hpp"

#include <cstddef>
#include <optional>

namespace keyturn {
namespace {

constexpr std::string_view before_schema = "{\"schema\":";
constexpr std::string_view before_checksum = ",\"sha256\":\"";
constexpr std::string_view before_json = "\",\"state\":";
constexpr std::string_view after_json = "}\n";
constexpr std::size_t checksum_size = 64;
constexpr std::size_t schema_digits_max = 6;

struct Parts {
    std::string_view schema;
    std::string_view checksum;
    std::string_view json;
};

bool take(std::string_view& text, std::string_view word) {
    if (!text.starts_with(word)) return false;
    text.remove_prefix(word.size());
    return true;
}

std::optional<Parts> take_apart(std::string_view text) {
    Parts parts;
    if (!take(text, before_schema)) return std::nullopt;
    parts.schema = text.substr(0, text.find(','));
    text.remove_prefix(parts.schema.size());
    if (!take(text, before_checksum) || text.size() < checksum_size) return std::nullopt;
    parts.checksum = text.substr(0, checksum_size);
    text.remove_prefix(checksum_size);
    if (!take(text, before_json) || !text.ends_with(after_json)) return std::nullopt;
    parts.json = text.substr(0, text.size() - after_json.size());
    return parts;
}

std::string checksum_of(std::string_view schema, std::string_view json) {
    return sha256_hex({schema, "\n", json});
}

Envelope damaged(const char* why) {
    return Envelope{0, {}, why};
}

}  // namespace

std::string in_envelope(int schema, std::string_view json) {
    const std::string digits = std::to_string(schema);
    std::string text;
    text.append(before_schema).append(digits);
    text.append(before_checksum).append(checksum_of(digits, json));
    text.append(before_json).append(json).append(after_json);
    return text;
}

Envelope open_envelope(std::string_view text) {
    if (text.empty()) return damaged("it is empty");
    const std::optional<Parts> parts = take_apart(text);
    if (!parts) return damaged("it is cut off or was edited");
    if (checksum_of(parts->schema, parts->json) != parts->checksum) {
        return damaged("its checksum does not match");
    }
    const auto schema = to_number<int>(parts->schema);
    if (schema.value_or(0) < 1 || parts->schema.size() > schema_digits_max)
        return damaged("its schema is not a number");
    return Envelope{*schema, parts->json, {}};
}

}  // namespace keyturn
