#pragma once

#include "fuzz/input.hpp"
#include "http/http_client.hpp"

#include <charconv>
#include <optional>
#include <string_view>

namespace keyturn::fuzz {

/// An answer made of lines: its status, Retry-After and the header `second`; the rest is its body.
/// Nothing for a number that is no status.
inline std::optional<HttpResponse> response_of(std::string_view input, const char* second) {
    const std::string_view status = take_line(input);
    HttpResponse response;
    response.status = 500;
    std::from_chars(status.data(), status.data() + status.size(), response.status);
    if (response.status < 100 || response.status > 999) return std::nullopt;
    response.headers.emplace_back("retry-after", take_line(input));
    response.headers.emplace_back(second, take_line(input));
    response.body = Secret::copy_of(input);
    return response;
}

}  // namespace keyturn::fuzz
