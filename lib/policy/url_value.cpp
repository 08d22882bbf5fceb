#include "policy/url_value.hpp"

#include "base/ascii.hpp"
#include "base/url.hpp"
#include "policy/suggestion.hpp"

#include <fmt/format.h>

#include <string>

namespace keyturn {
namespace {

constexpr std::string_view http_scheme = "http://";

bool is_http(std::string_view text) {
    return lower(text.substr(0, http_scheme.size())) == http_scheme;
}

/// `rest` is what follows the scheme.
bool names_a_user(std::string_view rest) {
    return rest.substr(0, rest.find('/')).find('@') != std::string_view::npos;
}

Error user_in_url() {
    return invalid(
        "contains a user or password before the `@`; credentials have their own section");
}

PolicyValue without_slash(std::string_view text) {
    while (text.ends_with('/')) text.remove_suffix(1);
    return std::string{text};
}

Result<PolicyValue> read_tls_url(std::string_view text) {
    static constexpr std::string_view scheme = "https://";
    if (!text.starts_with(scheme)) {
        return invalid(
            fmt::format("must be a URL that begins with `https://`, not {}", in_backticks(text)));
    }
    if (names_a_user(text.substr(scheme.size()))) return user_in_url();
    if (!parse_url(text)) {
        return invalid(fmt::format("must be a URL of the form `https://HOST[:PORT]/PATH`: {}",
                                   in_backticks(text)));
    }
    return without_slash(text);
}

}  // namespace

Result<PolicyValue> read_https_url(std::string_view text) {
    if (is_http(text)) {
        return invalid(
            "must be `https://`, because keyturnd sends the API token to it; `http://` is refused");
    }
    return read_tls_url(text);
}

Result<PolicyValue> read_store_url(std::string_view text) {
    if (!is_http(text)) return read_tls_url(text);
    if (names_a_user(text.substr(http_scheme.size()))) return user_in_url();
    if (parse_url(text)) return without_slash(text);
    return invalid(
        "must be `https://`, because keyturnd sends a secret to it; `http://` is allowed only to "
        "this host (127.0.0.1, [::1] or localhost)");
}

Result<PolicyValue> read_proxy_url(std::string_view text) {
    if (text.find('@') != std::string_view::npos) {
        return invalid(
            "contains a user or password before the `@`; they belong into a file, which "
            "`credential` or `file` names");
    }
    if (lower(text.substr(0, 8)) == "https://" || lower(text.substr(0, 5)) == "socks") {
        return invalid(
            "must be `http://`; keyturnd knows no other way to speak with a proxy, and TLS goes "
            "through it up to Cloudflare");
    }
    if (!parse_proxy_url(text)) {
        return invalid(fmt::format(
            "must be a URL of the form `http://HOST:PORT`, such as `http://proxy.example.com:3128`,"
            " not {}",
            in_backticks(text)));
    }
    if (text.ends_with('/')) text.remove_suffix(1);
    return PolicyValue{std::string{text}};
}

}  // namespace keyturn
