#include "files/file.hpp"

#include "base/unique_fd.hpp"
#include "files/descriptor_reserve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

namespace keyturn {
namespace {

constexpr unsigned wider_than_ours = 07777U & ~unsigned{file_mode};

/// The kernel reports this since Linux 5.8. If it does, device numbers are not compared: on an
/// overlay (a container, a live system) a file and its directory have different ones without any
/// mount.
bool is_mount_point(const struct statx& status, const Directory& directory) {
    if ((status.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) != 0) {
        return (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
    }
    return makedev(status.stx_dev_major, status.stx_dev_minor) != directory.device();
}

/// Why a file with these properties must not be read or replaced; empty if it may be.
std::string objection(const struct statx& status, const Directory& directory) {
    if (S_ISLNK(status.stx_mode)) return "is a symbolic link";
    if (!S_ISREG(status.stx_mode)) return "is not a regular file";
    if (status.stx_nlink > 1) return "has a second name (hard link)";
    if (status.stx_uid != directory.owner()) {
        return fmt::format("belongs to user {}, not to user {}", status.stx_uid, directory.owner());
    }
    if ((status.stx_mode & wider_than_ours) != 0) {
        return fmt::format("has the mode {:04o}; run `chmod 0600` on it", status.stx_mode & 07777U);
    }
    if (is_mount_point(status, directory)) return "is a mount point: mount its directory instead";
    return {};
}

Error cannot(std::string_view what, int errno_value, const Directory& directory,
             std::string_view name) {
    return errno_error(errno_value, fmt::format("cannot {} {}", what, directory.path_of(name)));
}

/// Returns the size of the file.
Result<std::size_t> check(int fd, const char* path_below, int flags, const Directory& directory,
                          const std::string& name) {
    struct statx status {};
    if (::statx(fd, path_below, flags, STATX_BASIC_STATS, &status) != 0) {
        return cannot("examine", errno, directory, name);
    }
    const std::string why = objection(status, directory);
    if (why.empty()) return status.stx_size;
    return Error{Fault::invalid, fmt::format("{} {}", directory.path_of(name), why)};
}

/// Reads to the end of the file or until the buffer is full. Returns the number of bytes.
Result<std::size_t> read_all(int fd, char* out, std::size_t size, const std::string& path) {
    std::size_t done = 0;
    while (done < size) {
        const ssize_t count = ::read(fd, out + done, size - done);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno_error(errno, fmt::format("cannot read {}", path));
        if (count == 0) break;
        done += static_cast<std::size_t>(count);
    }
    return done;
}

void overwrite(const Directory& directory, const std::string& name) {
    const UniqueFd fd(open_file(directory.fd(), name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK));
    struct stat status {};
    if (!fd.valid() || ::fstat(fd.get(), &status) != 0) return;
    // Another name of the same file may belong to somebody else, so its content must stay.
    if (!S_ISREG(status.st_mode) || status.st_nlink != 1) return;
    constexpr off_t block_size = 4096;
    const std::string zeros(block_size, '\0');
    for (off_t left = status.st_size; left > 0; left -= block_size) {
        const auto count = static_cast<std::size_t>(std::min(left, block_size));
        const std::string_view block = std::string_view(zeros).substr(0, count);
        if (!write_all(fd.get(), block, directory.path_of(name))) return;
    }
    static_cast<void>(::fdatasync(fd.get()));
}

}  // namespace

Result<bool> examine_file(const Directory& directory, const std::string& name) {
    const Result<std::size_t> checked =
        check(directory.fd(), name.c_str(), AT_SYMLINK_NOFOLLOW, directory, name);
    if (checked) return true;
    if (checked.error().fault == Fault::missing) return false;
    return checked.error();
}

Result<std::optional<Secret>> read_file(const Directory& directory, const std::string& name,
                                        std::size_t size_max) {
    // O_NONBLOCK keeps a FIFO from blocking keyturnd for ever; the check below refuses it.
    const UniqueFd fd(open_file(directory.fd(), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    if (!fd.valid()) {
        const int error = errno;
        if (error == ENOENT) return std::optional<Secret>();
        const Result<bool> examined = examine_file(directory, name);
        if (!examined) return examined.error();
        return cannot("open", error, directory, name);
    }
    const Result<std::size_t> found = check(fd.get(), "", AT_EMPTY_PATH, directory, name);
    if (!found) return found.error();
    if (*found > size_max) {
        return Error{Fault::invalid, fmt::format("{} is too long", directory.path_of(name))};
    }
    Secret bytes(*found);
    const Result<std::size_t> size =
        read_all(fd.get(), bytes.data(), bytes.size(), directory.path_of(name));
    if (!size) return size.error();
    bytes.truncate(*size);
    return std::optional<Secret>(std::move(bytes));
}

Result<void> rename_file(const Directory& directory, const std::string& from,
                         const std::string& to) {
    if (::renameat(directory.fd(), from.c_str(), directory.fd(), to.c_str()) != 0) {
        return errno_error(errno,
                           fmt::format("cannot rename {} to {}", directory.path_of(from), to));
    }
    return directory.sync();
}

Result<void> remove_file(const Directory& directory, const std::string& name) {
    if (::unlinkat(directory.fd(), name.c_str(), 0) != 0 && errno != ENOENT) {
        return cannot("remove", errno, directory, name);
    }
    // Needed even if the file is already gone: the call that removed it may have failed before its
    // sync.
    return directory.sync();
}

Result<void> erase_file(const Directory& directory, const std::string& name) {
    overwrite(directory, name);
    return remove_file(directory, name);
}

Result<void> write_all(int fd, std::string_view bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t count = ::write(fd, bytes.data(), bytes.size());
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno_error(errno, fmt::format("cannot write {}", path));
        bytes.remove_prefix(static_cast<std::size_t>(count));
    }
    return {};
}

}  // namespace keyturn
