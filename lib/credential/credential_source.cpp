#include "credential/credential_source.hpp"

#include "base/trust.hpp"
#include "base/unique_fd.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstddef>
#include <fcntl.h>
#include <sys/stat.h>

namespace keyturn {
namespace {

constexpr std::size_t credential_size_max = 4096;

/// Says what to do for a credential that systemd hands over, in the words of keyturnd.service.
Error not_there(const CredentialSource& source, const CredentialContent& content) {
    return Error{
        Fault::missing,
        fmt::format(
            "{1} {0} is missing; run `install -m 600 /dev/stdin "
            "/etc/keyturn/{0}`, paste {2}, press Ctrl-D, then run `systemctl "
            "restart keyturnd` (LoadCredential={0}:PATH in keyturnd.service names the file)",
            source.credential, content.name, content.what)};
}

Result<Secret> read_all(int file, const std::string& path, const CredentialSource& source,
                        const CredentialContent& content) {
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
    const std::string_view given = text.reveal().substr(0, size);
    if (source.file.empty() && given == no_credential) return not_there(source, content);
    const Result<std::string_view> found = content.find(given);
    if (!found) return Error{found.error().fault, fmt::format("{} {}", path, found.error().text)};
    return Secret::copy_of(*found);
}

/// Of the file; for a credential of systemd it is in a directory that systemd made for us.
Result<std::string> path_of(const CredentialSource& source, const std::string& directory,
                            const CredentialContent& content) {
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

}  // namespace

Result<Secret> read_credential_source(const CredentialSource& source, const std::string& directory,
                                      const CredentialContent& content) {
    const Result<std::string> path = path_of(source, directory, content);
    if (!path) return path.error();
    const UniqueFd file(::open(path->c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    if (!file.valid()) {
        if (errno == ENOENT && source.file.empty()) return not_there(source, content);
        return errno_error(errno, fmt::format("cannot open {} {}", content.name, *path));
    }
    const Result<void> trusted = check_trust(source, *path, file.get());
    if (!trusted) return trusted.error();
    return read_all(file.get(), *path, source, content);
}

}  // namespace keyturn
