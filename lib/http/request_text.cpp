#include "http/request_text.hpp"

#include "base/ascii.hpp"
#include "base/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace keyturn {

namespace {

constexpr std::size_t target_size_max = 4096;
constexpr std::size_t credential_size_max = 4096;
constexpr std::size_t header_name_size_max = 64;
constexpr std::array<std::string_view, 5> methods{"GET", "PATCH", "PUT", "POST", "DELETE"};

/// True for printable ASCII without spaces, which is allowed in a request line or after "Bearer ".
bool is_visible(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
}

/// True for a name that is not one of those which decide where the request ends.
bool is_header_name(std::string_view name) {
    constexpr std::array<std::string_view, 4> ours{"host", "content-length", "transfer-encoding",
                                                   "connection"};
    const auto allowed = [](char c) { return is_alphanumeric(c) || c == '-'; };
    return !name.empty() && name.size() <= header_name_size_max &&
           std::ranges::all_of(name, allowed) && std::ranges::find(ours, lower(name)) == ours.end();
}

bool is_header_value(std::string_view value) {
    return value.size() <= credential_size_max &&
           std::ranges::all_of(value, [](char c) { return c >= ' ' && c < 0x7f; });
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
    if (!is_visible(bearer) || bearer.size() > credential_size_max) {
        return refused(
            "the credential contains characters that a token cannot have, or is too long");
    }
    const std::string_view body = request.body.reveal();
    if (!is_header_value(request.content_type) || !is_header_value(request.accept)) {
        return refused("a content type of the request is not valid");
    }
    std::string head = fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\nAccept: {}\r\n",
                                   request.method, request.target, authority_of(origin), user_agent,
                                   request.accept);
    if (!body.empty()) head += fmt::format("Content-Type: {}\r\n", request.content_type);
    if (!body.empty() || (request.method != "GET" && request.method != "DELETE")) {
        head += fmt::format("Content-Length: {}\r\n", body.size());
    }
    Secret text = Secret::copy_of(head);
    if (!bearer.empty()) {
        text.append("Authorization: Bearer ");
        text.append(bearer);
        text.append("\r\n");
    }
    for (const auto& [name, value] : request.headers) {
        if (!is_header_name(name) || !is_header_value(value.reveal())) {
            return refused("a header of the request is not valid");
        }
        text.append(name);
        text.append(": ");
        text.append(value.reveal());
        text.append("\r\n");
    }
    text.append("\r\n");
    text.append(body);
    return text;
}

}  // namespace keyturn
