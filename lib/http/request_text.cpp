#include "http/request_text.hpp"

#include "base/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace keyturn {

namespace {

constexpr std::size_t target_size_max = 4096;
constexpr std::size_t bearer_size_max = 4096;
constexpr std::array<std::string_view, 5> methods{"GET", "PATCH", "PUT", "POST", "DELETE"};

/// True for printable ASCII without spaces, which is allowed in a request line or after "Bearer ".
bool is_visible(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

Error refused(std::string_view why) {
    return Error{Fault::invalid, std::string(why)};
}

}  // namespace

Result<Secret> request_text(const HttpOrigin& origin, const HttpRequest& request,
                            std::string_view user_agent) {
    if (std::ranges::find(methods, request.method) == methods.end()) {
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
    std::string head =
        fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\nAccept: application/json\r\n",
                    request.method, request.target, authority_of(origin), user_agent);
    if (!body.empty()) head += "Content-Type: application/json\r\n";
    if (!body.empty() || (request.method != "GET" && request.method != "DELETE")) {
        head += fmt::format("Content-Length: {}\r\n", body.size());
    }
    Secret text = Secret::copy_of(head);
    if (!bearer.empty()) {
        text.append("Authorization: Bearer ");
        text.append(bearer);
        text.append("\r\n");
    }
    text.append("\r\n");
    text.append(body);
    return text;
}

}  // namespace keyturn
