#include "files/directory.hpp"

#include "base/ascii.hpp"

#include <fmt/format.h>

#include <algorithm>
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
constexpr unsigned long long inodes_needed = 16;

Error refused(std::string_view path, std::string_view why) {
    return Error{Fault::invalid, fmt::format("{} {}", path, why)};
}

struct CloseStream {
    void operator()(DIR* stream) const { ::closedir(stream); }
};

bool is_symbolic_link(int parent, const std::string& name) {
    struct stat status {};
    return ::fstatat(parent, name.c_str(), &status, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISLNK(status.st_mode);
}

}  // namespace

Result<Directory> Directory::open(const std::string& path) {
    return open_at(AT_FDCWD, path, path);
}

Result<Directory> Directory::open_below(const std::string& name) const {
    Result<Directory> below = open_at(fd(), name, path_of(name));
    if (below && below->owner_ != owner_) {
        return refused(below->path_, fmt::format("must have the same owner as {}", path_));
    }
    return below;
}

Result<Directory> Directory::open_at(int parent, const std::string& name, std::string path) {
    const DescriptorReserve::Use use;
    UniqueFd fd(open_file(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    if (!fd.valid()) {
        const int error = errno;
        // The kernel's error for a link here is "not a directory", which would mislead people.
        if (is_symbolic_link(parent, name)) return refused(path, "is a symbolic link");
        return errno_error(error, fmt::format("cannot open the directory {}", path));
    }
    Directory directory(std::move(fd), std::move(path));
    const Result<void> trusted = directory.check_trust();
    if (!trusted) return trusted.error();
    return directory;
}

Result<void> Directory::check_trust() {
    struct stat status {};
    if (::fstat(fd(), &status) != 0) return errno_error(errno, "cannot examine " + path_);
    owner_ = status.st_uid;
    group_ = status.st_gid;
    device_ = status.st_dev;
    if (owner_ != ::geteuid() && ::geteuid() != 0) {
        return refused(path_, fmt::format("belongs to user {}, but keyturnd runs as user {}",
                                          owner_, ::geteuid()));
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
    if (owner_ != ::geteuid() &&
        ::fchownat(fd(), name.c_str(), owner_, group_, AT_SYMLINK_NOFOLLOW) != 0) {
        return errno_error(errno, fmt::format("cannot change the owner of {}", path_of(name)));
    }
    return sync();
}

Result<void> Directory::sync() const {
    if (::fsync(fd()) != 0) return errno_error(errno, fmt::format("cannot sync {}", path_));
    return {};
}

Result<std::vector<std::string>> Directory::names() const {
    // A new open file description, because copies of a descriptor share their read position.
    UniqueFd copy(open_file(fd(), ".", O_RDONLY | O_DIRECTORY));
    if (!copy.valid()) return errno_error(errno, fmt::format("cannot list {}", path_));
    const std::unique_ptr<DIR, CloseStream> stream(::fdopendir(copy.get()));
    if (!stream) return errno_error(errno, fmt::format("cannot list {}", path_));
    static_cast<void>(copy.release());
    std::vector<std::string> names;
    errno = 0;
    while (const dirent* entry = ::readdir(stream.get())) {
        const std::string_view name = entry->d_name;
        if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) return errno_error(errno, fmt::format("cannot list {}", path_));
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

Result<void> check_file_name(std::string_view name) {
    const bool sized = !name.empty() && name.size() <= file_name_size_max && name.front() != '.';
    const bool plain = std::ranges::all_of(name, [](char c) {
        return is_alphanumeric(c) || std::string_view{"-_.@"}.find(c) != std::string_view::npos;
    });
    if (sized && plain) return {};
    return Error{Fault::invalid, "the name is not valid as a file name"};
}

}  // namespace keyturn
