#include "files/directory.hpp"

#include "base/ascii.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <dirent.h>
#include <fcntl.h>
#include <memory>
#include <sys/stat.h>
#include <sys/statvfs.h>

namespace keyturn {
namespace {

constexpr mode_t directory_mode = 0700;
constexpr mode_t writable_by_others = 0022;
constexpr std::size_t file_name_size_max = 128;
constexpr std::size_t listing_bytes = std::size_t{4} * 1024;
constexpr unsigned long long inodes_needed = 16;

Error refused(std::string_view path, std::string_view why) {
    return Error{Fault::invalid, fmt::format("{} {}", path, why)};
}

bool is_symbolic_link(int parent, const std::string& name) {
    struct stat status {};
    return ::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISLNK(status.st_mode);
}

}  // namespace

Result<Directory> Directory::open(const std::string& path) {
    return open_in(nullptr, path, ::geteuid());
}

Result<Directory> Directory::open_below(const std::string& name) const {
    return open_in(this, name, self_);
}

std::string Directory::path_in(const Directory* above, const std::string& name) {
    return above == nullptr ? name : above->path_of(name);
}

int Directory::fd_of(const Directory* above) {
    return above == nullptr ? AT_FDCWD : above->fd();
}

Result<Directory> Directory::open_in(const Directory* above, const std::string& name, uid_t self) {
    const DescriptorReserve::Use use;
    const std::string path = path_in(above, name);
    const int parent = fd_of(above);
    auto fd =
        std::make_shared<UniqueFd>(open_file(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (!fd->valid()) {
        const int error = errno;
        // The kernel's error for a link here is "not a directory", which would mislead people.
        if (is_symbolic_link(parent, name)) return refused(path, "is a symbolic link");
        return errno_error(error, fmt::format("cannot open the directory {}", path));
    }
    struct stat status {};
    if (::fstat(fd->get(), &status) != 0) return errno_error(errno, "cannot examine " + path);
    Directory directory(std::move(fd), path, self);
    const Result<void> trusted = directory.check_trust(status, above);
    if (!trusted) return trusted.error();
    return directory;
}

Result<void> Directory::check_trust(const struct stat& status, const Directory* above) {
    owner_ = status.st_uid;
    group_ = status.st_gid;
    device_ = status.st_dev;
    inode_ = status.st_ino;
    if (above != nullptr && owner_ != above->owner_) {
        return refused(path_, fmt::format("must have the same owner as {}", above->path_));
    }
    if (owner_ != self_ && self_ != 0) {
        return refused(
            path_, fmt::format("belongs to user {}, but keyturnd runs as user {}", owner_, self_));
    }
    if ((status.st_mode & writable_by_others) != 0) {
        return refused(path_, "is writable by others; run `chmod 0700` on it");
    }
    return {};
}

Result<void> Directory::make_below(const std::string& name) const {
    if (::mkdirat(fd(), name.c_str(), directory_mode) != 0) {
        if (errno == EEXIST) return {};
        return errno_error(errno, fmt::format("cannot create the directory {}", path_of(name)));
    }
    if (!is_ours() && ::fchownat(fd(), name.c_str(), owner_, group_, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno_error(errno, fmt::format("cannot change the owner of {}", path_of(name)));
    }
    return sync();
}

Result<void> Directory::sync() const {
    if (::fsync(fd()) != 0) return errno_error(errno, fmt::format("cannot sync {}", path_));
    return {};
}

Result<std::vector<std::string>> Directory::names() const {
    std::vector<std::string> names;
    alignas(dirent64) std::array<char, listing_bytes> entries{};
    // The descriptor may have been listed before.
    ssize_t size = ::lseek(fd(), 0, SEEK_SET);
    while (size >= 0 && (size = ::getdents64(fd(), entries.data(), entries.size())) > 0) {
        for (ssize_t at = 0; at < size;) {
            const auto* const entry = reinterpret_cast<const dirent64*>(entries.data() + at);
            const std::string_view name = entry->d_name;
            if (name != "." && name != "..") names.emplace_back(name);
            at += entry->d_reclen;
        }
    }
    if (size < 0) return errno_error(errno, fmt::format("cannot list {}", path_));
    return names;
}

Result<void> Directory::check_room(unsigned long long bytes) const {
    struct statvfs room {};
    if (::fstatvfs(fd(), &room) != 0) {
        return errno_error(errno, fmt::format("cannot determine the free space in {}", path_));
    }
    // Some file systems (btrfs) have no fixed number of inodes and report 0 of 0.
    const bool inodes = room.f_files == 0 || room.f_favail >= inodes_needed;
    if (room.f_bavail * room.f_frsize >= bytes && inodes) return {};
    return Error{Fault::storage, fmt::format("the disk of {} is full", path_)};
}

std::string Directory::path_of(std::string_view name) const {
    return fmt::format("{}/{}", path_, name);
}

Result<Directory> KeptDirectory::open() const {
    return open_again(nullptr, path_);
}

Result<Directory> KeptDirectory::open_below(const std::string& name) const {
    const Result<Directory> directory = open();
    if (!directory) return directory;
    return open_again(&*directory, name);
}

Result<Directory> KeptDirectory::open_again(const Directory* above, const std::string& name) const {
    Opened& kept = opened_[name];
    struct stat status {};
    const bool same =
        kept.fd &&
        ::fstatat(Directory::fd_of(above), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
        status.st_dev == kept.device && status.st_ino == kept.inode;
    if (!same) {
        Result<Directory> opened = Directory::open_in(above, name, self_);
        kept = opened ? Opened{opened->fd_, opened->device_, opened->inode_} : Opened{};
        return opened;
    }
    Directory directory(kept.fd, Directory::path_in(above, name), self_);
    const Result<void> trusted = directory.check_trust(status, above);
    if (!trusted) return trusted.error();
    return directory;
}

Result<void> check_file_name(std::string_view name) {
    const bool sized = !name.empty() && name.size() <= file_name_size_max && name.front() != '.';
    if (sized && consists_of(name, "-_.@")) return {};
    return Error{Fault::invalid, "the name is not valid as a file name"};
}

}  // namespace keyturn
