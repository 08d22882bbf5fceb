#include "token/flat_json.hpp"

#include "base/ascii.hpp"
#include "base/invariant.hpp"

#include <cstdint>
#include <optional>

namespace keyturn {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdef";

bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}
bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20;
}

std::optional<std::uint32_t> hex_value(char c) {
    if (is_digit(c)) return static_cast<std::uint32_t>(c - '0');
    if (c >= 'a' && c <= 'f') return static_cast<std::uint32_t>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F') return static_cast<std::uint32_t>(c - 'A' + 10);
    return std::nullopt;
}

char* put_utf8(char* out, std::uint32_t code) {
    const auto tail = [code](unsigned shift) {
        return static_cast<char>(0x80U | ((code >> shift) & 0x3fU));
    };
    if (code < 0x80) {
        *out++ = static_cast<char>(code);
    } else if (code < 0x800) {
        *out++ = static_cast<char>(0xc0U | (code >> 6U));
        *out++ = tail(0);
    } else if (code < 0x10000) {
        *out++ = static_cast<char>(0xe0U | (code >> 12U));
        *out++ = tail(6);
        *out++ = tail(0);
    } else {
        *out++ = static_cast<char>(0xf0U | (code >> 18U));
        *out++ = tail(12);
        *out++ = tail(6);
        *out++ = tail(0);
    }
    return out;
}

/// Walks over the text once. Each function takes what its name says, and returns false (or nothing)
/// if something else comes next; the whole text is then refused.
class Reader {
  public:
    explicit Reader(std::string_view text) : rest_(text) {}

    bool object(std::vector<FlatJson::Member>& members) {
        if (!literal("{")) return false;
        if (literal("}")) return true;
        do {
            if (members.size() == flat_json_members_max) return false;
            if (!member(members)) return false;
        } while (literal(","));
        return literal("}");
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
        // No escape is shorter than what it stands for, so the rest of the text is large enough.
        Secret value(rest_.size());
        char* out = value.data();
        while (!rest_.empty() && rest_.front() != '"') {
            if (is_control(rest_.front())) return std::nullopt;
            const char c = take();
            if (c != '\\') {
                *out++ = c;
            } else {
                out = escape(out);
                if (out == nullptr) return std::nullopt;
            }
        }
        if (rest_.empty()) return std::nullopt;
        take();
        value.truncate(static_cast<std::size_t>(out - value.data()));
        return value;
    }

    char* escape(char* out) {
        constexpr std::string_view letters = "\"\\/bfnrt";
        constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
        if (rest_.empty()) return nullptr;
        const char c = take();
        if (const std::size_t index = letters.find(c); index != std::string_view::npos) {
            *out++ = meanings[index];
            return out;
        }
        const std::optional<std::uint32_t> code = c == 'u' ? code_point() : std::nullopt;
        return code ? put_utf8(out, *code) : nullptr;
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
        for (int i = 0; i < 4; ++i) {
            const std::optional<std::uint32_t> digit = hex_value(take());
            if (!digit) return std::nullopt;
            code = (code << 4U) | *digit;
        }
        return code;
    }

    bool skip_value(int depth) {
        if (depth > flat_json_depth_max) return false;
        skip_space();
        if (rest_.empty()) return false;
        if (rest_.front() == '{') return skip_list("{", "}", depth);
        if (rest_.front() == '[') return skip_list("[", "]", depth);
        if (rest_.front() == '"') return string().has_value();
        if (literal("null") || literal("true") || literal("false")) return true;
        return number();
    }

    bool skip_list(std::string_view open, std::string_view close, int depth) {
        if (!literal(open)) return false;
        if (literal(close)) return true;
        do {
            if (open == "{" && !(string() && literal(":"))) return false;
            if (!skip_value(depth + 1)) return false;
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
        while (!rest_.empty() && is_digit(rest_.front())) take();
        return rest_.size() < before;
    }

    bool accept(char c) {
        const bool there = !rest_.empty() && rest_.front() == c;
        if (there) take();
        return there;
    }

    bool literal(std::string_view word) {
        skip_space();
        if (!rest_.starts_with(word)) return false;
        rest_.remove_prefix(word.size());
        return true;
    }

    void skip_space() {
        while (!rest_.empty() && is_space(rest_.front())) take();
    }

    char take() {
        const char c = rest_.front();
        rest_.remove_prefix(1);
        return c;
    }

    std::string_view rest_;
};

std::size_t written_size(char c) {
    if (c == '"' || c == '\\') return 2;
    return is_control(c) ? 6 : 1;
}

std::size_t written_size(std::string_view text) {
    std::size_t size = 2;
    for (const char c : text) size += written_size(c);
    return size;
}

char* put(char* out, std::string_view text) {
    for (const char c : text) *out++ = c;
    return out;
}

char* put_string(char* out, std::string_view text) {
    *out++ = '"';
    for (const char c : text) {
        if (is_control(c)) {
            out = put(out, "\\u00");
            *out++ = hex_digits[static_cast<unsigned char>(c) >> 4U];
            *out++ = hex_digits[static_cast<unsigned char>(c) & 0x0fU];
        } else {
            if (c == '"' || c == '\\') *out++ = '\\';
            *out++ = c;
        }
    }
    *out++ = '"';
    return out;
}

}  // namespace

Result<FlatJson> FlatJson::read(std::string_view text) {
    FlatJson json;
    // Reserving avoids reallocation, so each secret stays where it was read.
    json.members_.reserve(flat_json_members_max);
    Reader reader(text);
    if (!reader.object(json.members_) || !reader.at_end()) {
        return Error{Fault::invalid, "it is not a JSON object, or it exceeds keyturn's limits", {}};
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
    std::size_t size = 1;
    for (const auto& [key, value] : members) size += written_size(key) + written_size(value) + 2;
    Secret text(size);
    char* out = text.data();
    char before = '{';
    for (const auto& [key, value] : members) {
        *out++ = before;
        out = put_string(out, key);
        *out++ = ':';
        out = put_string(out, value);
        before = ',';
    }
    *out++ = '}';
    invariant(out == text.data() + text.size(), "the size of an object is known in advance");
    return text;
}

}  // namespace keyturn
