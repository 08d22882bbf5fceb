#include "json/json.hpp"

#include <functional>
#include <set>

namespace keyturn {

namespace {

Error invalid(const char* why) {
    return Error{Fault::invalid, why};
}

/// Counts the brackets and commas outside strings before anything is built: a megabyte of "[[" or
/// "0,0," would grow into many megabytes of values.
Result<void> check_size(std::string_view text) {
    int depth = 0;
    int values = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') ++i;
            if (c == '"') in_string = false;
            continue;
        }
        if (c == '"') in_string = true;
        if (c == '[' || c == '{') {
            ++values;
            if (++depth > json_depth_max) return invalid("the answer is nested too deeply");
        }
        if (c == ']' || c == '}') --depth;
        if (c == ',' && ++values > json_values_max) {
            return invalid("the answer contains too many values");
        }
    }
    return {};
}

/// Watches a parse for keys that occur twice in one object. Keys are names, not secrets.
class KeyWatch {
  public:
    bool repeated() const { return repeated_; }

    bool operator()(int /*depth*/, Json::parse_event_t event, Json& parsed) {
        using Event = Json::parse_event_t;
        if (event == Event::object_start) open_.emplace_back();
        if (event == Event::key) {
            if (!open_.back().insert(parsed.get_ref<const WipedText&>()).second) repeated_ = true;
        }
        if (event == Event::object_end) open_.pop_back();
        return true;
    }

  private:
    std::vector<std::set<WipedText>> open_;
    bool repeated_ = false;
};

}  // namespace

Result<JsonDocument> parse_json(std::string_view text) {
    if (const auto fits = check_size(text); !fits) return fits.error();
    // The library takes a NUL for the end of the text and ignores everything after it.
    if (text.find('\0') != std::string_view::npos) return invalid("the answer is not JSON");
    KeyWatch keys;
    // Without exceptions, because their texts quote the input, which may contain a token.
    JsonDocument document;
    document.root = Json::parse(text.begin(), text.end(), std::ref(keys), false);
    if (document.root.is_discarded()) {
        return invalid(is_page(text) ? "the answer is an HTML page" : "the answer is not JSON");
    }
    if (keys.repeated()) return invalid("the answer contains a key twice");
    return document;
}

bool is_page(std::string_view text) {
    constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
    if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
    const auto first = text.find_first_not_of(" \t\r\n");
    return first != std::string_view::npos && text[first] == '<';
}

const Json* member(const Json& object, const char* name) {
    if (!object.is_object()) return nullptr;
    const auto found = object.find(name);
    return found == object.end() ? nullptr : &*found;
}

std::string_view text_member(const Json& object, const char* name) {
    const Json* value = member(object, name);
    if (value == nullptr || !value->is_string()) return {};
    return value->get_ref<const WipedText&>();
}

}  // namespace keyturn
