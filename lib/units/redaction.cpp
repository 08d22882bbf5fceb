#include "units/redaction.hpp"

#include <algorithm>
#include <array>
#include <cstddef>

namespace keyturn {

namespace {

constexpr std::array<std::string_view, 2> secret_options{"token", "credentials-contents"};
constexpr std::string_view secret_variable = "TUNNEL_TOKEN=";

/// Secrets that are JSON, with its own quotes and blanks. Inside a shell command nobody can tell
/// where they end, so everything after them is cut off.
constexpr std::array<std::string_view, 3> secret_to_the_end{
    "TUNNEL_CRED_CONTENTS=", "credentials-contents=", "credentials-contents "};
constexpr std::array<std::string_view, 9> harmless_variables{"HOME",
                                                             "TUNNEL_TOKEN_FILE",
                                                             "TUNNEL_CRED_FILE",
                                                             "TUNNEL_METRICS",
                                                             "TUNNEL_CONFIG",
                                                             "TUNNEL_LOGLEVEL",
                                                             "TUNNEL_GRACE_PERIOD",
                                                             "TUNNEL_EDGE_IP_VERSION",
                                                             "TUNNEL_TRANSPORT_PROTOCOL"};

/// The start of any JSON object in base64, and a size below that of any token.
constexpr std::string_view token_start = "eyJ";
constexpr std::size_t token_characters_min = 40;

template <class Names>
bool contains(const Names& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_base64(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
           c == '/' || c == '=' || c == '-' || c == '_';
}

bool ends_a_word(char c) {
    return c == ' ' || c == '\t' || c == '\n' || c == ';';
}

/// The name of an option, from "--token" or "-token" (Go's flags accept both); "" for anything
/// else.
std::string_view option_name(std::string_view argument) {
    if (argument.starts_with("--")) return argument.substr(2);
    if (argument.starts_with("-")) return argument.substr(1);
    return {};
}

/// `text` up to and including the first name whose value is secret up to the end.
std::string_view before_endless(std::string_view text) {
    std::size_t size = text.size();
    for (const std::string_view name : secret_to_the_end) {
        const std::size_t found = text.find(name);
        if (found != std::string_view::npos) size = std::min(size, found + name.size());
    }
    return text.substr(0, size);
}

/// The size of a word as a shell reads it, including quoted parts and characters after a backslash.
std::size_t size_of_word(std::string_view text) {
    char quote = '\0';
    std::size_t size = 0;
    for (; size < text.size(); ++size) {
        const char c = text[size];
        if (quote == '\0' && ends_a_word(c)) break;
        if (c == '\\' && quote != '\'') {
            ++size;
        } else if (c == quote) {
            quote = '\0';
        } else if (quote == '\0' && (c == '"' || c == '\'')) {
            quote = c;
        }
    }
    return std::min(size, text.size());
}

std::size_t size_of_token(std::string_view text) {
    if (!text.starts_with(token_start)) return 0;
    std::size_t size = 0;
    while (size < text.size() && is_base64(text[size])) ++size;
    return size >= token_characters_min ? size : 0;
}

std::string without_secrets(std::string_view text) {
    text = before_endless(text);
    std::string kept;
    while (!text.empty()) {
        if (text.starts_with(secret_variable)) {
            kept += secret_variable;
            text.remove_prefix(secret_variable.size());
            text.remove_prefix(size_of_word(text));
        } else if (const std::size_t token = size_of_token(text); token > 0) {
            text.remove_prefix(token);
        } else {
            kept += text.front();
            text.remove_prefix(1);
        }
    }
    return kept;
}

}  // namespace

std::string ArgumentCut::next(std::string_view argument) {
    if (is_value_) {
        is_value_ = false;
        return {};
    }
    is_value_ = contains(secret_options, option_name(argument));
    const std::size_t equals = argument.find('=');
    if (equals != std::string_view::npos &&
        contains(secret_options, option_name(argument.substr(0, equals)))) {
        return std::string(argument.substr(0, equals + 1));
    }
    return without_secrets(argument);
}

std::string cut_environment(std::string_view entry) {
    const std::string_view name = entry.substr(0, entry.find('='));
    if (contains(harmless_variables, name)) return without_secrets(entry);
    return std::string(name) + "=";
}

}  // namespace keyturn
