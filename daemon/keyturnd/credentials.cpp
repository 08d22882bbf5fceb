#include "keyturnd/credentials.hpp"

#include "base/unique_fd.hpp"
#include "cloudflare/api_token_text.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <sys/stat.h>

namespace keyturn {

namespace {

constexpr std::size_t credential_size_max = 4096;

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
        return Error{
            Fault::invalid,
            path + " is too long for an API token; write the API token into it, and nothing else",
            {}};
    }
    const Result<std::string_view> api_token = find_api_token(text.reveal().substr(0, size));
    if (!api_token)
        return Error{
            api_token.error().fault, fmt::format("{} {}", path, api_token.error().text), {}};
    return Secret::copy_of(*api_token);
}

Result<std::string> path_of(const CredentialSource& source) {
    if (!source.file.empty()) return source.file;
    const char* directory = std::getenv("CREDENTIALS_DIRECTORY");
    if (directory == nullptr) {
        return Error{Fault::missing,
                     fmt::format("the systemd credential {} is not there: keyturnd was not started "
                                 "by systemd, or its unit lacks LoadCredential={}:PATH",
                                 source.credential, source.credential),
                     {}};
    }
    return fmt::format("{}/{}", directory, source.credential);
}

}  // namespace

Result<Secret> read_credential(const CredentialSource& source) {
    const Result<std::string> path = path_of(source);
    if (!path) return path.error();
    const UniqueFd file(::open(path->c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    if (!file.valid()) return errno_error(errno, "cannot open the credential " + *path);
    struct stat status {};
    if (::fstat(file.get(), &status) != 0) return errno_error(errno, *path);
    if (!S_ISREG(status.st_mode)) {
        return Error{Fault::invalid, *path + " is no regular file", {}};
    }
    // systemd's own copy is group-readable by an ACL on newer versions; a file of ours may not be.
    const bool others_can_read = (status.st_mode & (S_IRWXG | S_IRWXO)) != 0;
    if (!source.file.empty() && others_can_read) {
        return Error{Fault::denied,
                     fmt::format("{} can be read by others; run: chmod 600 {}", *path, *path),
                     {}};
    }
    return read_all(file.get(), *path);
}

Result<std::map<std::string, Secret>> read_credentials(const Policy& policy) {
    std::map<std::string, Secret> api_tokens;
    for (const auto& [name, source] : policy.cloudflare.credentials) {
        Result<Secret> api_token = read_credential(source);
        if (!api_token) return with_context("credential " + name, api_token.error());
        api_tokens.emplace(name, std::move(*api_token));
    }
    return api_tokens;
}

}  // namespace keyturn
