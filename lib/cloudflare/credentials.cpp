#include "cloudflare/credentials.hpp"

#include "base/trust.hpp"
#include "base/unique_fd.hpp"
#include "cloudflare/api_token_text.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <sys/stat.h>
#include <utility>

namespace keyturn {

namespace {

constexpr std::size_t credential_size_max = 4096;

/// What SetCredential= of keyturnd.service hands over where there is no file: systemd would not
/// start us without any.
constexpr std::string_view stand_in_of_unit = "none";

Result<Secret> read_all(int file, const std::string& path) {
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
                     path + " is too long for an API token; write only the API token to this file"};
    }
    const Result<std::string_view> api_token = find_api_token(text.reveal().substr(0, size));
    if (!api_token)
        return Error{api_token.error().fault, fmt::format("{} {}", path, api_token.error().text)};
    return Secret::copy_of(*api_token);
}

/// Says what to do for a credential that systemd hands over, in the words of keyturnd.service.
Error not_there(const CredentialSource& source) {
    return Error{
        Fault::missing,
        fmt::format(
            "the API token {0} is missing; run `install -m 600 /dev/stdin "
            "/etc/keyturn/{0}`, paste the API token, press Ctrl-D, then run `systemctl "
            "restart keyturnd` (LoadCredential={0}:PATH in keyturnd.service names the file)",
            source.credential)};
}

/// Of the file; for a credential of systemd it is in a directory that systemd made for us.
Result<std::string> path_of(const CredentialSource& source, const std::string& directory) {
    if (!source.file.empty()) return source.file;
    if (directory.empty()) return not_there(source);
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
    return check_way_to(path);
}

}  // namespace

Result<Secret> read_credential(const CredentialSource& source, const std::string& directory) {
    const Result<std::string> path = path_of(source, directory);
    if (!path) return path.error();
    const UniqueFd file(::open(path->c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file.valid()) {
        if (errno == ENOENT && source.file.empty()) return not_there(source);
        return errno_error(errno, "cannot open the API token " + *path);
    }
    const Result<void> trusted = check_trust(source, *path, file.get());
    if (!trusted) return trusted.error();
    Result<Secret> api_token = read_all(file.get(), *path);
    if (api_token && api_token->reveal() == stand_in_of_unit) return not_there(source);
    return api_token;
}

Result<std::map<std::string, Error>> check_credentials(const Policy& policy,
                                                       const std::string& directory) {
    if (!policy.cloudflare.ca_file.empty()) {
        const Result<void> trusted = check_trusted_file(policy.cloudflare.ca_file);
        // A file that is missing is told by the calls that need it.
        const bool distrusted = !trusted && trusted.error().fault != Fault::missing;
        if (distrusted) return with_context("ca_file", trusted.error());
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

ReadApiToken api_token_reader(CredentialSource source, std::string directory) {
    bool was_there = read_credential(source, directory).has_value();
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

}  // namespace keyturn
