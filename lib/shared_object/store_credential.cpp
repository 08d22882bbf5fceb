#include "shared_object/store_credential.hpp"

#include <algorithm>

namespace keyturn {

namespace {

constexpr std::string_view blanks = " \t\r\n";

/// Takes the first word of `text`.
std::string_view take_word(std::string_view& text) {
    text.remove_prefix(std::min(text.find_first_not_of(blanks), text.size()));
    const std::string_view word = text.substr(0, text.find_first_of(blanks));
    text.remove_prefix(word.size());
    return word;
}

/// What may be in a header, without what separates the parts of a signature.
bool is_key_id(std::string_view word) {
    return std::ranges::all_of(
        word, [](char c) { return c > ' ' && c < 0x7f && c != '/' && c != ',' && c != '='; });
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < ' ' || c == 0x7f;
}

}  // namespace

Result<AwsCredential> find_bucket_credential(std::string_view text) {
    const auto wrong = [](std::string_view what) {
        return Error{Fault::denied,
                     "the credential of the bucket " + std::string(what) +
                         "; write `ACCESS_KEY_ID SECRET_ACCESS_KEY` into it, and nothing else"};
    };
    const std::string_view key_id = take_word(text);
    const std::string_view secret_key = take_word(text);
    if (key_id.empty()) return wrong("is empty");
    if (secret_key.empty()) return wrong("is only one word");
    if (!take_word(text).empty()) return wrong("has more than two words");
    if (!is_key_id(key_id)) return wrong("does not begin with an access key id");
    return AwsCredential{std::string(key_id), Secret::copy_of(secret_key)};
}

Result<std::string_view> find_store_password(std::string_view text) {
    while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
    if (text.empty()) return Error{Fault::denied, "the credential of the store is empty"};
    if (std::ranges::any_of(text, is_control)) {
        return Error{Fault::denied,
                     "the credential of the store is more than one line; write only the password "
                     "into it"};
    }
    return text;
}

}  // namespace keyturn
