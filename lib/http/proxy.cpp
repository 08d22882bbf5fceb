#include "http/proxy.hpp"

#include "base/ascii.hpp"
#include "base/no_proxy.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace keyturn {

namespace {

constexpr std::string_view scheme = "http://";

std::string_view variable(char* (*get)(const char*), const char* name, const char* other_name) {
    const char* value = get(name);
    if (value == nullptr || *value == '\0') value = get(other_name);
    return value == nullptr ? std::string_view{} : std::string_view{value};
}

/// What two hex digits mean; nothing for any other text.
std::optional<char> read_hex(std::string_view digits) {
    if (digits.size() != 2 || !std::ranges::all_of(digits, is_hex)) return std::nullopt;
    unsigned value = 0;
    const char* const end = digits.data() + digits.size();
    std::from_chars(digits.data(), end, value, 16);
    return static_cast<char>(value);
}

/// Undoes percent-encoding in memory that is wiped.
std::optional<Secret> decoded(std::string_view text) {
    Secret secret(text.size());
    std::size_t size = 0;
    while (!text.empty()) {
        char c = text.front();
        text.remove_prefix(1);
        if (c == '%') {
            const std::optional<char> byte = read_hex(text.substr(0, 2));
            if (!byte) return std::nullopt;
            c = *byte;
            text.remove_prefix(2);
        }
        secret.data()[size++] = c;
    }
    secret.truncate(size);
    return secret;
}

Error unusable(std::string_view why) {
    return Error{Fault::denied,
                 fmt::format("HTTPS_PROXY in the environment cannot be used: {}", why)};
}

}  // namespace

std::string name_of(const HttpProxy& proxy) {
    return fmt::format("the proxy {}", authority_of(proxy.origin));
}

bool needs_proxy(const HttpOrigin& origin, const std::vector<std::string>& no_proxy) {
    if (!origin.tls || is_loopback(origin.host)) return false;
    return std::ranges::none_of(
        no_proxy, [&](const std::string& entry) { return is_without_proxy(origin, entry); });
}

ProxyVariables read_proxy_variables(char* (*get)(const char*)) {
    return {variable(get, "https_proxy", "HTTPS_PROXY"), variable(get, "no_proxy", "NO_PROXY")};
}

ProxyChoice proxy_in(const ProxyVariables& variables) {
    std::string_view text = variables.https_proxy;
    if (text.empty()) return std::shared_ptr<const HttpProxy>();
    const auto end_of_scheme = text.find("://");
    if (end_of_scheme != std::string_view::npos) {
        if (lower(text.substr(0, end_of_scheme)) != "http") {
            return unusable("keyturn knows only proxies whose URL begins with http://");
        }
        text.remove_prefix(end_of_scheme + 3);
    }
    auto proxy = std::make_shared<HttpProxy>();
    // A password may contain an "@" that nobody has encoded.
    if (const auto at = text.rfind('@'); at != std::string_view::npos) {
        auto login = decoded(text.substr(0, at));
        if (!login)
            return unusable("a % in its user or password is not followed by two hex digits");
        proxy->login = std::move(*login);
        if (text.substr(0, at).find(':') == std::string_view::npos) proxy->login.append(":");
        text.remove_prefix(at + 1);
    }
    const auto origin = parse_proxy_url(std::string(scheme) + std::string(text));
    if (!origin) return unusable(origin.error().text);
    proxy->origin = *origin;
    proxy->login_place = "HTTPS_PROXY";
    for (const std::string_view entry : split(variables.no_proxy, ", \t")) {
        if (!entry.empty()) proxy->no_proxy.emplace_back(entry);
    }
    return std::shared_ptr<const HttpProxy>(std::move(proxy));
}

}  // namespace keyturn
