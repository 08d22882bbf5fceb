#include "cloudflare/credentials.hpp"

#include "base/trust.hpp"
#include "base/unique_fd.hpp"
#include "cloudflare/api_token_text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <memory>
#include <string_view>
#include <sys/stat.h>
#include <utility>

namespace keyturn {

namespace {

constexpr std::size_t credential_size_max = 4096;

/// What SetCredential= of keyturnd.service hands over where there is no file: systemd would not
/// start us without any.
constexpr std::string_view stand_in_of_unit = "none";

/// What is read from a source, in words and in bytes.
struct Content {
    std::string_view name;  ///< "the API token"
    std::string_view what;  ///< What a person pastes.
    Result<std::string_view> (*find)(std::string_view text);
};

constexpr Content api_token_content{"the API token", "the API token", find_api_token};
constexpr Content login_content{"the login of the proxy", "USER:PASSWORD", find_proxy_login};

Result<Secret> read_all(int file, const std::string& path, const Content& content) {
    Secret text(credential_size_max);
    std::size_t size = 0;
    while (size < text.size()) {
        const ssize_t count = ::read(file, text.data() + size, text.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno_error(errno, "cannot read " + path);
        if (count == 0) break;
        size += static_cast<std::size_t>(count);
    }
    if (size == text.size()) {
        return Error{Fault::invalid,
                     fmt::format("{0} is too long for {1}; write only {1} to this file", path,
                                 content.name)};
    }
    const Result<std::string_view> found = content.find(text.reveal().substr(0, size));
    if (!found) return Error{found.error().fault, fmt::format("{} {}", path, found.error().text)};
    return Secret::copy_of(*found);
}

/// Says what to do for a credential that systemd hands over, in the words of keyturnd.service.
Error not_there(const CredentialSource& source, const Content& content) {
    return Error{
        Fault::missing,
        fmt::format(
            "{1} {0} is missing; run `install -m 600 /dev/stdin "
            "/etc/keyturn/{0}`, paste {2}, press Ctrl-D, then run `systemctl "
            "restart keyturnd` (LoadCredential={0}:PATH in keyturnd.service names the file)",
            source.credential, content.name, content.what)};
}

/// Of the file; for a credential of systemd it is in a directory that systemd made for us.
Result<std::string> path_of(const CredentialSource& source, const std::string& directory,
                            const Content& content) {
    if (!source.file.empty()) return source.file;
    if (directory.empty()) return not_there(source, content);
    return fmt::format("{}/{}", directory, source.credential);
}

Error denied(const std::string& path, const std::string& why) {
    return Error{Fault::denied, fmt::format("{} is {}", path, why)};
}

/// Who may read and who may change it, of the open file and of the way to it.
Result<void> check_trust(const CredentialSource& source, const std::string& path, int file) {
    struct stat status {};
    if (::fstat(file, &status) != 0) return errno_error(errno, path);
    if (!S_ISREG(status.st_mode)) return Error{Fault::invalid, path + " is not a regular file"};
    // systemd's own copy is group-readable by an ACL on newer versions; a file of ours may not be.
    const bool others_can_read = (status.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    if (!source.file.empty() && others_can_read) {
        return denied(path, fmt::format("readable by other users (mode {:04o}); run: chmod 600 {}",
                                        status.st_mode & 07777U, path));
    }
    const std::string reason = distrust_owner(status);
    if (!reason.empty()) return denied(path, reason);
    // Once `check_credentials` has seen that only root and ourselves can change the way to what
    // systemd hands over, only they can have changed it since.
    return source.file.empty() ? Result<void>() : check_way_to(path);
}

Result<Secret> read_source(const CredentialSource& source, const std::string& directory,
                           const Content& content) {
    const Result<std::string> path = path_of(source, directory, content);
    if (!path) return path.error();
    const UniqueFd file(::open(path->c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file.valid()) {
        if (errno == ENOENT && source.file.empty()) return not_there(source, content);
        return errno_error(errno, fmt::format("cannot open {} {}", content.name, *path));
    }
    const Result<void> trusted = check_trust(source, *path, file.get());
    if (!trusted) return trusted.error();
    Result<Secret> secret = read_all(file.get(), *path, content);
    if (secret && secret->reveal() == stand_in_of_unit) return not_there(source, content);
    return secret;
}

/// The key of the policy that names the source, for a person who corrects it.
std::string place_of(const CredentialSource& source) {
    if (!source.file.empty()) return fmt::format("{} (`file` of `proxy`)", source.file);
    if (source.credential.empty()) return "a file, and name it with `credential` of `proxy`";
    return fmt::format("the credential {} (`credential` of `proxy`)", source.credential);
}

}  // namespace

Result<Secret> read_credential(const CredentialSource& source, const std::string& directory) {
    return read_source(source, directory, api_token_content);
}

Result<std::string_view> find_proxy_login(std::string_view text) {
    constexpr std::string_view blanks = " \t\r\n";
    const auto begin = text.find_first_not_of(blanks);
    if (begin == std::string_view::npos) return Error{Fault::invalid, "is empty"};
    text = text.substr(begin, text.find_last_not_of(blanks) - begin + 1);
    if (text == stand_in_of_unit) return text;
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
    Result<Secret> login = read_source(policy.login, directory, login_content);
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
