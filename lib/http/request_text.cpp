#include "http/request_text.hpp"

#include "http/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>

namespace keyturn {

namespace {

constexpr std::size_t target_size_max = 4096;
constexpr std::size_t bearer_size_max = 4096;
constexpr std::array<std::string_view, 5> methods{"GET", "PATCH", "PUT", "POST", "DELETE"};

/// True for printable ASCII without spaces, which is allowed in a request line or after "Bearer ".
bool is_visible(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

Secret joined(std::initializer_list<std::string_view> pieces) {
    std::size_t size = 0;
    for (const auto piece : pieces) size += piece.size();
    Secret text(size);
    char* next = text.data();
    for (const auto piece : pieces) {
        if (piece.empty()) continue;
        std::memcpy(next, piece.data(), piece.size());
        next += piece.size();
    }
    return text;
}

Error refused(std::string_view why) {
    return Error{Fault::invalid, std::string(why)};
}

}  // namespace

Result<Secret> request_text(const HttpOrigin& origin, const HttpRequest& request,
                            std::string_view user_agent) {
    if (std::find(methods.begin(), methods.end(), request.method) == methods.end()) {
        return refused("the HTTP method is not one that keyturn uses");
    }
    if (!request.target.starts_with('/') || !is_visible(request.target) ||
        request.target.size() > target_size_max) {
        return refused("the path of the request is not valid");
    }
    if (origin.host.empty() || !is_visible(origin.host) || !is_visible(origin.port)) {
        return refused("the host of the request is not valid");
    }
    const std::string_view bearer = request.bearer.reveal();
    if (!is_visible(bearer) || bearer.size() > bearer_size_max) {
        return refused(
            "the credential contains characters that a token cannot have, or is too long");
    }
    const std::string_view body = request.body.reveal();
    const std::string head =
        fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\nAccept: application/json\r\n",
                    request.method, request.target, authority_of(origin), user_agent);
    const bool has_length =
        !body.empty() || (request.method != "GET" && request.method != "DELETE");
    const std::string length =
        has_length
            ? fmt::format("{}Content-Length: {}\r\n",
                          body.empty() ? "" : "Content-Type: application/json\r\n", body.size())
            : "";
    return joined({head, length, bearer.empty() ? "" : "Authorization: Bearer ", bearer,
                   bearer.empty() ? "\r\n" : "\r\n\r\n", body});
}

}  // namespace keyturn
