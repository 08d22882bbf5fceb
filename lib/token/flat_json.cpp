#include "token/flat_json.hpp"

#include "base/invariant.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <optional>

namespace keyturn {
namespace {

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20;
}

void append_byte(Secret& text, std::uint32_t byte) {
    const char c = static_cast<char>(byte);
    text.append({&c, 1});
}

void append_utf8(Secret& text, std::uint32_t code) {
    constexpr std::array first_byte{0x00U, 0xc0U, 0xe0U, 0xf0U};
    unsigned left = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    append_byte(text, first_byte.at(left) | (code >> (6U * left)));
    while (left-- > 0) append_byte(text, 0x80U | ((code >> (6U * left)) & 0x3fU));
}

/// Walks over the text once. Each function takes what its name says, and returns false (or nothing)
/// if something else comes next; the whole text is then refused.
class Reader {
  public:
    explicit Reader(std::string_view text) : rest_(text) {}

    bool object(std::vector<FlatJson::Member>& members) {
        return list("{", "}",
                    [&] { return members.size() < flat_json_members_max && member(members); });
    }

    bool at_end() {
        skip_space();
        return rest_.empty();
    }

  private:
    bool member(std::vector<FlatJson::Member>& members) {
        std::optional<Secret> key = string();
        if (!key || !literal(":")) return false;
        skip_space();
        const bool is_text = rest_.starts_with('"');
        std::optional<Secret> value = is_text ? string() : Secret();
        if (!value || (!is_text && !skip_value(1))) return false;
        members.push_back(FlatJson::Member{std::move(*key), std::move(*value), is_text});
        return true;
    }

    std::optional<Secret> string() {
        if (!literal("\"")) return std::nullopt;
        Secret value;
        while (!rest_.empty() && !is_control(rest_.front())) {
            const char c = take();
            if (c == '"') return value;
            if (c != '\\') {
                value.append({&c, 1});
            } else if (!escape(value)) {
                return std::nullopt;
            }
        }
        return std::nullopt;
    }

    bool escape(Secret& value) {
        constexpr std::string_view letters = "\"\\/bfnrt";
        constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
        if (rest_.empty()) return false;
        const char c = take();
        if (const std::size_t index = letters.find(c); index != std::string_view::npos) {
            value.append(meanings.substr(index, 1));
            return true;
        }
        const std::optional<std::uint32_t> code = c == 'u' ? code_point() : std::nullopt;
        if (code) append_utf8(value, *code);
        return code.has_value();
    }

    std::optional<std::uint32_t> code_point() {
        const std::optional<std::uint32_t> first = four_digits();
        if (!first || (*first >= 0xdc00 && *first < 0xe000)) return std::nullopt;
        if (*first < 0xd800 || *first >= 0xe000) return first;
        if (!rest_.starts_with("\\u")) return std::nullopt;
        rest_.remove_prefix(2);
        const std::optional<std::uint32_t> second = four_digits();
        if (!second || *second < 0xdc00 || *second >= 0xe000) return std::nullopt;
        return 0x10000U + ((*first - 0xd800U) << 10U) + (*second - 0xdc00U);
    }

    std::optional<std::uint32_t> four_digits() {
        if (rest_.size() < 4) return std::nullopt;
        std::uint32_t code = 0;
        const char* const end = rest_.data() + 4;
        if (std::from_chars(rest_.data(), end, code, 16).ptr != end) return std::nullopt;
        rest_.remove_prefix(4);
        return code;
    }

    bool skip_value(int depth) {
        if (depth > flat_json_depth_max) return false;
        skip_space();
        const auto item = [&] { return skip_value(depth + 1); };
        const auto pair = [&] { return string() && literal(":") && item(); };
        if (rest_.starts_with('{')) return list("{", "}", pair);
        if (rest_.starts_with('[')) return list("[", "]", item);
        if (rest_.starts_with('"')) return string().has_value();
        if (literal("null") || literal("true") || literal("false")) return true;
        return number();
    }

    template <class TakeItem>
    bool list(std::string_view open, std::string_view close, TakeItem take_item) {
        if (!literal(open)) return false;
        if (literal(close)) return true;
        do {
            if (!take_item()) return false;
        } while (literal(","));
        return literal(close);
    }

    bool number() {
        accept('-');
        if (!accept('0') && !digits()) return false;
        if (accept('.') && !digits()) return false;
        if (accept('e') || accept('E')) {
            if (!accept('+')) accept('-');
            return digits();
        }
        return true;
    }

    bool digits() {
        const std::size_t before = rest_.size();
        skip("0123456789");
        return rest_.size() < before;
    }

    bool accept(char c) {
        const bool there = rest_.starts_with(c);
        if (there) take();
        return there;
    }

    bool literal(std::string_view word) {
        skip_space();
        if (!rest_.starts_with(word)) return false;
        rest_.remove_prefix(word.size());
        return true;
    }

    void skip_space() { skip(" \t\n\r"); }

    void skip(std::string_view any_of) {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(any_of), rest_.size()));
    }

    char take() {
        const char c = rest_.front();
        rest_.remove_prefix(1);
        return c;
    }

    std::string_view rest_;
};

void append_string(Secret& text, std::string_view string) {
    text.append("\"");
    for (const char& c : string) {
        if (is_control(c)) {
            text.append(fmt::format("\\u{:04x}", static_cast<unsigned>(c)));
            continue;
        }
        if (c == '"' || c == '\\') text.append("\\");
        text.append({&c, 1});
    }
    text.append("\"");
}

}  // namespace

Result<FlatJson> FlatJson::read(std::string_view text) {
    FlatJson json;
    // Reserving avoids reallocation, so each secret stays where it was read.
    json.members_.reserve(flat_json_members_max);
    Reader reader(text);
    if (!reader.object(json.members_) || !reader.at_end()) {
        return Error{Fault::invalid, "it is not a JSON object, or it exceeds keyturn's limits"};
    }
    return json;
}

const Secret* FlatJson::find(std::string_view key) const {
    const Member* found = nullptr;
    for (const Member& member : members_) {
        if (member.key.reveal() != key) continue;
        if (found != nullptr) return nullptr;
        found = &member;
    }
    return found != nullptr && found->is_text ? &found->value : nullptr;
}

Secret write_flat_json(
    std::initializer_list<std::pair<std::string_view, std::string_view>> members) {
    invariant(members.size() > 0, "a written object has at least one member");
    Secret text;
    for (const auto& [key, value] : members) {
        text.append(text.empty() ? "{" : ",");
        append_string(text, key);
        text.append(":");
        append_string(text, value);
    }
    text.append("}");
    return text;
}

}  // namespace keyturn
