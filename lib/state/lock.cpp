#include "state/lock.hpp"

#include "files/file.hpp"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

namespace keyturn {
namespace {

constexpr const char* lock_name = "lock";

/// The process id that the lock's holder wrote for people; empty if it has not written it yet.
std::string holder_of(int fd) {
    std::array<char, 16> text{};
    const ssize_t size = ::pread(fd, text.data(), text.size() - 1, 0);
    std::string holder(text.data(), size > 0 ? static_cast<std::size_t>(size) : 0);
    holder.resize(std::min(holder.find_first_not_of("0123456789"), holder.size()));
    return holder;
}

}  // namespace

Result<UniqueFd> take_lock(const Directory& directory) {
    UniqueFd fd(::openat(directory.fd(), lock_name,
                         O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, file_mode));
    if (!fd.valid()) {
        return errno_error(errno, fmt::format("cannot open {}", directory.path_of(lock_name)));
    }
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK) {
            return errno_error(errno, fmt::format("cannot lock {}", directory.path_of(lock_name)));
        }
        return Error{Fault::conflict, fmt::format("another keyturnd uses {} (process {})",
                                                  directory.path(), holder_of(fd.get()))};
    }
    // Only for the message above, so it does not matter if the disk is full.
    const std::string id = fmt::format("{}\n", ::getpid());
    static_cast<void>(::ftruncate(fd.get(), 0) == 0 &&
                      write_all(fd.get(), id, directory.path_of(lock_name)).has_value());
    return fd;
}

}  // namespace keyturn
