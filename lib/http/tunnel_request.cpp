#include "http/tunnel_request.hpp"

#include "base/ascii.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <string>

namespace keyturn {

namespace {

constexpr std::string_view end_of_head = "\r\n\r\n";
constexpr std::size_t login_size_max = 1024;
constexpr int login_wanted = 407;
constexpr int login_wrong = 401;  ///< As tinyproxy says it; otherwise it is 407, too.
constexpr int forbidden = 403;

/// "host:port", always with the port.
std::string address_of(const HttpOrigin& target) {
    const bool bracketed = target.host.find(':') != std::string::npos;
    return fmt::format("{}{}{}:{}", bracketed ? "[" : "", target.host, bracketed ? "]" : "",
                       target.port);
}

/// In Base64, in memory that is wiped.
Secret encoded(const Secret& login) {
    Secret text((login.size() + 2) / 3 * 4 + 1);
    const std::string_view bytes = login.reveal();
    const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                     reinterpret_cast<const unsigned char*>(bytes.data()),
                                     static_cast<int>(bytes.size()));
    text.truncate(static_cast<std::size_t>(size));
    return text;
}

/// The status in "HTTP/1.1 200 Connection established"; nothing if it is no such line.
std::optional<int> status_in(std::string_view line) {
    constexpr std::string_view version = "HTTP/1.";
    constexpr std::size_t status_at = version.size() + 2;
    constexpr std::size_t status_size = 3;
    if (!line.starts_with(version) || line.size() < status_at + status_size) return std::nullopt;
    if (!is_digit(line[version.size()]) || line[version.size() + 1] != ' ') return std::nullopt;
    const std::string_view rest = line.substr(status_at + status_size);
    if (!rest.empty() && rest.front() != ' ') return std::nullopt;
    return to_number<int>(line.substr(status_at, status_size));
}

/// True if the proxy names ways to log in, and Basic is not one of them.
bool knows_only_other_logins(std::string_view head) {
    constexpr std::string_view field = "proxy-authenticate:";
    bool named = false;
    for (std::string_view line : split(head, "\r\n")) {
        const std::string text = lower(line);
        if (!text.starts_with(field)) continue;
        named = true;
        if (text.find("basic", field.size()) != std::string::npos) return false;
    }
    return named;
}

Error login_refused(std::string_view head, const HttpProxy& proxy, int status) {
    if (knows_only_other_logins(head)) {
        return Error{Fault::denied,
                     fmt::format("{} wants a login of another kind than Basic (HTTP {}), and "
                                 "keyturn knows no other: allow this host there without a login",
                                 name_of(proxy), status)};
    }
    if (proxy.login.empty()) {
        return Error{Fault::denied, fmt::format("{} wants a user and a password (HTTP {}): write "
                                                "USER:PASSWORD to {}",
                                                name_of(proxy), status, proxy.login_place)};
    }
    return Error{Fault::denied, fmt::format("{} does not accept the user or the password (HTTP "
                                            "{}): correct {}",
                                            name_of(proxy), status, proxy.login_place)};
}

Error unreachable(const HttpProxy& proxy, const std::string& what) {
    return Error{Fault::unreachable, fmt::format("{} {}", name_of(proxy), what)};
}

}  // namespace

Result<Secret> tunnel_request(const HttpOrigin& target, const HttpProxy& proxy,
                              std::string_view user_agent) {
    const std::string_view login = proxy.login.reveal();
    const bool sound = login.size() <= login_size_max &&
                       std::ranges::none_of(login, [](char c) { return c == '\r' || c == '\n'; });
    if (!sound) {
        return Error{Fault::denied,
                     fmt::format("the user and password in {} are no USER:PASSWORD on one line",
                                 proxy.login_place)};
    }
    const std::string address = address_of(target);
    Secret text = Secret::copy_of(fmt::format(
        "CONNECT {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: {}\r\n", address, address, user_agent));
    if (!proxy.login.empty()) {
        text.append("Proxy-Authorization: Basic ");
        text.append(encoded(proxy.login).reveal());
        text.append("\r\n");
    }
    text.append("\r\n");
    return text;
}

std::optional<Result<void>> read_tunnel_answer(std::string_view bytes, const HttpOrigin& target,
                                               const HttpProxy& proxy) {
    constexpr std::string_view begin = "HTTP/1.";
    const std::string_view first = bytes.substr(0, begin.size());
    const auto end = bytes.find(end_of_head);
    const std::string_view head = bytes.substr(0, end);
    const auto status = status_in(head.substr(0, head.find("\r\n")));
    const bool complete = end != std::string_view::npos;
    if (first != begin.substr(0, first.size()) || (complete && !status)) {
        return unreachable(proxy, "does not answer as an HTTP proxy does");
    }
    if (!complete) {
        if (bytes.size() < tunnel_answer_size_max) return std::nullopt;
        return unreachable(proxy, "sends an answer without an end");
    }
    const std::string where = address_of(target);
    if (*status >= 200 && *status <= 299) {
        // A server speaks second in TLS.
        if (bytes.size() == end + end_of_head.size()) return Result<void>();
        return unreachable(proxy, fmt::format("sends more than a connection to {}", where));
    }
    if (*status == login_wanted || *status == login_wrong) {
        return login_refused(head, proxy, *status);
    }
    if (*status == forbidden) {
        return unreachable(proxy, fmt::format("refuses a connection to {} (HTTP 403): allow it for "
                                              "this host there",
                                              where));
    }
    return unreachable(proxy, fmt::format("gives no connection to {} (HTTP {})", where, *status));
}

}  // namespace keyturn
