#include "base/url.hpp"

#include "base/ascii.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <arpa/inet.h>
#include <cstdint>
#include <netinet/in.h>
#include <optional>

namespace keyturn {

namespace {

constexpr std::size_t url_size_max = 2048;
constexpr std::size_t host_size_max = 253;

bool is_unreserved(char c) {
    return is_alphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~';
}

bool is_host_name(std::string_view host) {
    return !host.empty() && host.size() <= host_size_max && is_alphanumeric(host.front()) &&
           std::ranges::all_of(host,
                               [](char c) { return is_alphanumeric(c) || c == '-' || c == '.'; });
}

/// Refuses a zone.
bool is_ipv6(std::string_view host) {
    in6_addr address{};
    return host.find('\0') == std::string_view::npos &&
           ::inet_pton(AF_INET6, std::string(host).c_str(), &address) == 1;
}

bool is_port(std::string_view text) {
    return to_number<std::uint16_t>(text).value_or(0) > 0;
}

bool is_path(std::string_view path) {
    const auto allowed = [](char c) { return is_unreserved(c) || c == '/'; };
    return std::ranges::all_of(path, allowed);
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
    if (!text.starts_with(prefix)) return false;
    text.remove_prefix(prefix.size());
    return true;
}

/// Splits "host", "host:port", "[v6]" or "[v6]:port"; nothing if a bracket is not closed.
std::optional<std::pair<std::string_view, std::string_view>> split_authority(
    std::string_view text) {
    if (text.starts_with('[')) {
        const auto close = text.find(']');
        if (close == std::string_view::npos) return std::nullopt;
        return std::pair{text.substr(1, close - 1), text.substr(close + 1)};
    }
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return std::pair{text, std::string_view{}};
    return std::pair{text.substr(0, colon), text.substr(colon)};
}

/// Reads "host", "host:port", "[v6]" or "[v6]:port" into an origin; says what is wrong otherwise.
std::string_view read_authority(std::string_view text, HttpOrigin& origin) {
    const auto parts = split_authority(text);
    if (!parts) return "has an unclosed bracket";
    auto [host, port] = *parts;
    if (text.starts_with('[') ? !is_ipv6(host) : !is_host_name(host)) {
        return "does not have a valid host";
    }
    if (!port.empty() && !(take_prefix(port, ":") && is_port(port))) {
        return "does not have a valid port";
    }
    origin.host = host;
    origin.port = port.empty() ? (origin.tls ? "443" : "80") : std::string(port);
    return {};
}

Error refused(std::string_view why) {
    return Error{Fault::invalid, fmt::format("the URL {}; it should look like "
                                             "https://api.cloudflare.com/client/v4",
                                             why)};
}

}  // namespace

bool is_loopback(std::string_view host) {
    if (host == "localhost") return true;
    in_addr v4{};
    in6_addr v6{};
    const std::string text(host);
    if (::inet_pton(AF_INET, text.c_str(), &v4) == 1) return ntohl(v4.s_addr) >> 24U == 127;
    return ::inet_pton(AF_INET6, text.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::string authority_of(const HttpOrigin& origin) {
    const bool bracketed = origin.host.find(':') != std::string::npos;
    const std::string host = bracketed ? fmt::format("[{}]", origin.host) : origin.host;
    const std::string_view usual_port = origin.tls ? "443" : "80";
    return origin.port == usual_port ? host : fmt::format("{}:{}", host, origin.port);
}

Result<HttpOrigin> parse_proxy_url(std::string_view text) {
    const auto wrong = [](std::string_view why) {
        return Error{Fault::invalid, fmt::format("the URL of the proxy {}; it should look like "
                                                 "http://proxy.example.com:3128",
                                                 why)};
    };
    if (text.size() > url_size_max) return wrong("is too long");
    HttpOrigin origin;
    origin.tls = false;
    if (!take_prefix(text, "http://")) return wrong("must begin with http://");
    if (text.ends_with('/')) text.remove_suffix(1);
    if (text.find('@') != std::string_view::npos) return wrong("must not name a user");
    if (text.find_first_of("/?#") != std::string_view::npos) return wrong("may have no path");
    const std::string_view why = read_authority(text, origin);
    if (!why.empty()) return wrong(why);
    return origin;
}

std::string path_segment(std::string_view value) {
    std::string segment;
    for (const char c : value) {
        if (is_unreserved(c)) {
            segment += c;
        } else {
            segment += fmt::format("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return segment;
}

Result<HttpUrl> parse_url(std::string_view text) {
    if (text.size() > url_size_max) return refused("is too long");
    HttpUrl url;
    if (take_prefix(text, "http://")) {
        url.origin.tls = false;
    } else if (!take_prefix(text, "https://")) {
        return refused("must begin with https://");
    }
    const std::string_view authority = text.substr(0, text.find_first_of("/?#"));
    std::string_view path = text.substr(authority.size());
    if (authority.find('@') != std::string_view::npos) return refused("must not name a user");
    const std::string_view wrong = read_authority(authority, url.origin);
    if (!wrong.empty()) return refused(wrong);
    if (!is_path(path)) return refused("may have only a plain path, no query and no fragment");
    while (path.ends_with('/')) path.remove_suffix(1);
    url.base_path = path;
    if (!url.origin.tls && !is_loopback(url.origin.host)) {
        return refused("may use http:// only for loopback");
    }
    return url;
}

}  // namespace keyturn
