#include "policy/suggestion.hpp"

#include "policy/source_text.hpp"

#include <fmt/format.h>

#include <cstddef>

namespace keyturn {
namespace {

constexpr std::size_t quote_size_max = 60;

}  // namespace

std::string did_you_mean(std::string_view word, const std::vector<std::string_view>& candidates) {
    const std::string_view near = closest(word, candidates);
    return near.empty() ? std::string{} : fmt::format("; did you mean {}?", in_backticks(near));
}

std::string quote_safe(std::string_view text) {
    std::string result = without_controls(with_secrets_starred(text.substr(0, text.find('\n'))));
    const bool cut = result.size() > quote_size_max || result.size() < text.size();
    if (result.size() > quote_size_max) result.resize(whole_characters(result, quote_size_max));
    return cut ? result + "..." : result;
}

std::string in_backticks(std::string_view text) {
    return fmt::format("`{}`", quote_safe(text));
}

Error invalid(std::string text) {
    return {Fault::invalid, std::move(text)};
}

}  // namespace keyturn
