#include "journal/stderr_line.hpp"

#include "base/counted.hpp"
#include "base/visible_text.hpp"

#include <climits>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <poll.h>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace keyturn {
namespace {

/// A ready pipe accepts this many bytes at once, without waiting (POSIX, PIPE_BUF).
constexpr std::size_t line_bytes_max = PIPE_BUF;

/// systemd passes a socket; started by hand, stderr is a terminal, a pipe or a file. All of these
/// are shared with other processes, so they must not be made non-blocking. This checks whether they
/// are ready instead.
bool write_now(const std::string& line) {
    const ssize_t sent =
        ::send(STDERR_FILENO, line.data(), line.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent >= 0) return true;
    if (errno != ENOTSOCK) return false;
    pollfd ready{STDERR_FILENO, POLLOUT, 0};
    const bool takes_it = ::poll(&ready, 1, 0) == 1 && (ready.revents & POLLOUT) != 0;
    return takes_it && ::write(STDERR_FILENO, line.data(), line.size()) >= 0;
}

std::string line_of(int priority, std::string_view text) {
    std::string line = fmt::format("<{}>{}", priority, visible_text(text, ' '));
    line.resize(std::min(line.size(), line_bytes_max - 1));
    return line + '\n';
}

}  // namespace

void tell_stderr(int priority, std::string_view text) {
    static unsigned long dropped = 0;
    if (dropped > 0) {
        const bool told =
            write_now(line_of(4, fmt::format("{} dropped, because stderr was not ready",
                                             counted(dropped, "line was", "lines were"))));
        if (told) dropped = 0;
    }
    if (dropped > 0 || !write_now(line_of(priority, text))) ++dropped;
}

}  // namespace keyturn
