#include "cloudflared/unit_words.hpp"

#include <fmt/format.h>

namespace keyturn {

namespace {

bool is_control(char c) {
    return (c >= 0 && c < ' ') || c == '\x7f';
}

}  // namespace

std::string on_one_line(std::string_view text) {
    std::string line;
    for (const char c : text)
        line += is_control(c) ? fmt::format("\\x{:02x}", c) : std::string(1, c);
    return line;
}

std::string without_specifiers(std::string_view text) {
    std::string escaped;
    for (const char c : text) escaped.append(c == '%' ? 2 : 1, c);
    return escaped;
}

std::string as_unit_file_word(std::string_view argument) {
    std::string word;
    for (const char c : without_specifiers(argument)) {
        if (c == '"' || c == '\\') word += '\\';
        word += c;
    }
    word = on_one_line(word);
    const bool plain = !word.empty() && word.find_first_of(" \t'\";\\") == std::string::npos;
    return plain ? word : '"' + word + '"';
}

std::string as_shell_word(std::string_view text) {
    std::string word = "'";
    for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return word + '\'';
}

std::string_view base_name(std::string_view path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

}  // namespace keyturn
