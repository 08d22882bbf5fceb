#include "setup/config_line.hpp"

#include "setup/token_text.hpp"

#include <algorithm>
#include <initializer_list>

namespace keyturn {

namespace {

constexpr std::string_view taken_out = "#keyturn ";
constexpr std::string_view placeholder = "(taken out by keyturnctl adopt)";

Secret joined(std::initializer_list<std::string_view> parts) {
    std::size_t size = 0;
    for (const std::string_view part : parts) size += part.size();
    Secret text(size);
    char* end = text.data();
    for (const std::string_view part : parts) end = std::ranges::copy(part, end).out;
    return text;
}

}  // namespace

Secret without_token_line(std::string_view text) {
    const auto found = find_token(text);
    if (!found || found->credentials_json) return Secret::copy_of(text);
    const std::size_t line_end = text.rfind('\n', found->begin);
    const std::size_t begin = line_end == std::string_view::npos ? 0 : line_end + 1;
    return joined({text.substr(0, begin), taken_out, text.substr(begin, found->begin - begin),
                   placeholder, text.substr(found->begin + found->size)});
}

Secret with_token_line(std::string_view text, const TunnelToken& token) {
    const std::size_t begin = text.find(taken_out);
    const std::size_t place = text.find(placeholder, std::min(begin, text.size()));
    if (begin == std::string_view::npos || place == std::string_view::npos)
        return Secret::copy_of(text);
    const std::size_t line = begin + taken_out.size();
    const Secret written = encode_token(token);
    return joined({text.substr(0, begin), text.substr(line, place - line), written.reveal(),
                   text.substr(place + placeholder.size())});
}

}  // namespace keyturn
