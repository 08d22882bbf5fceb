#include "cloudflare/credentials.hpp"

#include "base/trust.hpp"
#include "cloudflare/api_token_text.hpp"
#include "credential/credential_source.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>

namespace keyturn {

namespace {

constexpr CredentialContent api_token_content{"the API token", "the API token", find_api_token};
constexpr CredentialContent login_content{"the login of the proxy", "USER:PASSWORD",
                                          find_proxy_login};

/// The key of the policy that names the source, for a person who corrects it.
std::string place_of(const CredentialSource& source) {
    if (!source.file.empty()) return fmt::format("{} (`file` of `proxy`)", source.file);
    if (source.credential.empty()) return "a file, and name it with `credential` of `proxy`";
    return fmt::format("the credential {} (`credential` of `proxy`)", source.credential);
}

}  // namespace

Result<Secret> read_credential(const CredentialSource& source, const std::string& directory) {
    return read_credential_source(source, directory, api_token_content);
}

Result<std::string_view> find_proxy_login(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return Error{Fault::invalid, "is empty"};
    text = text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
    const auto colon = text.find(':');
    const bool has_user = colon != 0 && colon != std::string_view::npos;
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7f; };
    if (has_user && std::ranges::none_of(text, is_control)) return text;
    return Error{Fault::invalid, "does not contain USER:PASSWORD on one line"};
}

ProxyChoice make_proxy(const ProxyPolicy& policy, Secret login) {
    const auto origin = parse_proxy_url(policy.url);
    if (!origin) return Error{Fault::denied, "`proxy` of the policy: " + origin.error().text};
    auto proxy = std::make_shared<HttpProxy>();
    proxy->origin = *origin;
    proxy->login = std::move(login);
    proxy->login_place = place_of(policy.login);
    proxy->no_proxy = policy.no_proxy;
    return std::shared_ptr<const HttpProxy>(std::move(proxy));
}

ProxyChoice read_proxy(const ProxyPolicy& policy, const std::string& directory,
                       const ProxyVariables& variables) {
    if (policy.url.empty()) return proxy_in(variables);
    if (policy.login == CredentialSource{}) return make_proxy(policy, Secret());
    Result<Secret> login = read_credential_source(policy.login, directory, login_content);
    if (!login) return Error{Fault::denied, std::move(login.error().text)};
    return make_proxy(policy, std::move(*login));
}

Result<std::map<std::string, Error>> check_credentials(const Policy& policy,
                                                       const std::string& directory) {
    if (!policy.cloudflare.ca_file.empty()) {
        const Result<void> trusted = check_trusted_file(policy.cloudflare.ca_file);
        // A file that is missing is told by the calls that need it.
        const bool distrusted = !trusted && trusted.error().fault != Fault::missing;
        if (distrusted) return with_context("ca_file", trusted.error());
    }
    if (!directory.empty()) {
        const Result<void> trusted = check_way_to(directory + '/');
        const bool distrusted = !trusted && trusted.error().fault != Fault::missing;
        if (distrusted) return with_context("credentials", trusted.error());
    }
    std::map<std::string, Error> missing;
    for (const auto& [name, source] : policy.cloudflare.credentials) {
        const Result<Secret> api_token = read_credential(source, directory);
        if (api_token) continue;
        if (api_token.error().fault != Fault::missing)
            return with_context("credential " + name, api_token.error());
        missing.emplace(name, Error{Fault::denied, api_token.error().text});
    }
    return missing;
}

ReadApiToken api_token_reader(CredentialSource source, std::string directory, bool was_there) {
    return [source = std::move(source), directory = std::move(directory),
            was_there]() mutable -> Result<Secret> {
        Result<Secret> api_token = read_credential(source, directory);
        if (api_token) {
            was_there = true;
            return api_token;
        }
        Error error = api_token.error();
        if (was_there) {
            error.fault = Fault::unreachable;
        } else if (error.fault == Fault::missing) {
            error.fault = Fault::denied;
        }
        return error;
    };
}

Result<ApiAccess> read_access(const Policy& policy, const std::string& directory,
                              const ProxyVariables& variables) {
    auto missing = check_credentials(policy, directory);
    if (!missing) return missing.error();
    return ApiAccess{directory, std::move(*missing),
                     read_proxy(policy.cloudflare.proxy, directory, variables)};
}

std::vector<std::string> problems_of(const ApiAccess& access) {
    std::vector<std::string> problems;
    for (const auto& [name, why] : access.missing) {
        problems.push_back(fmt::format("cannot rotate the tunnels that use the credential {}: {}",
                                       name, why.text));
    }
    if (!access.proxy) {
        problems.push_back(fmt::format("cannot reach Cloudflare: {}", access.proxy.error().text));
    }
    return problems;
}

}  // namespace keyturn
