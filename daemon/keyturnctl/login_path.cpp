#include "login_path.hpp"

#include "base/ascii.hpp"
#include "base/secret.hpp"
#include "base/unique_fd.hpp"
#include "sockets/socket_owner.hpp"
#include "terminal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace keyturn {
namespace {

/// More than the environment of any session has, and the kernel's limit for one variable twice.
constexpr std::size_t process_file_bytes_max = 256 * 1024;
/// More processes above one another than any session has.
constexpr int ancestors_max = 64;
constexpr const char* control_groups = "/sys/fs/cgroup";

/// Reads as much as this user may see. An environment holds secrets, so it is handled as one.
Secret read_process_file(pid_t process, const char* name) {
    const UniqueFd file(::open(fmt::format("/proc/{}/{}", process, name).c_str(),
                               O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
    Secret text(process_file_bytes_max);
    std::size_t size = 0;
    while (file.valid() && size < text.size()) {
        const ssize_t count = ::read(file.get(), text.data() + size, text.size() - size);
        if (count <= 0) break;
        size += static_cast<std::size_t>(count);
    }
    text.truncate(size);
    return text;
}

/// The second field after the name, which ends with the last parenthesis (proc(5)).
pid_t parent_of(pid_t process) {
    const Secret file = read_process_file(process, "stat");
    std::string_view text = file.reveal();
    constexpr std::string_view before_state = ") ";
    constexpr std::size_t state_size = 2;
    const std::size_t name_end = text.rfind(before_state);
    if (name_end == std::string_view::npos) return 0;
    text.remove_prefix(std::min(name_end + before_state.size() + state_size, text.size()));
    pid_t parent = 0;
    std::from_chars(text.data(), text.data() + text.size(), parent);
    return parent;
}

std::optional<SshLogin> login_of(pid_t process) {
    for (int i = 0; process > 1 && i < ancestors_max; ++i, process = parent_of(process)) {
        const Secret environment = read_process_file(process, "environ");
        if (auto login = read_ssh_login(environment.reveal())) return login;
    }
    return std::nullopt;
}

/// The path of a control group; the kernel's number of it is the number of its inode.
std::filesystem::path path_of(std::uint64_t control_group) {
    std::error_code error;
    using Walk = std::filesystem::recursive_directory_iterator;
    for (Walk at(control_groups, error); !error && at != Walk(); at.increment(error)) {
        std::error_code gone;
        if (!at->is_directory(gone) || at->is_symlink(gone)) continue;
        struct stat found {};
        if (::lstat(at->path().c_str(), &found) == 0 && found.st_ino == control_group)
            return at->path();
    }
    return {};
}

}  // namespace

std::optional<SshLogin> read_ssh_login(std::string_view environment) {
    constexpr std::string_view name = "SSH_CONNECTION=";
    constexpr std::size_t words_count = 4;
    constexpr std::string_view end_of_variable("\0", 1);
    for (const std::string_view variable : split(environment, end_of_variable)) {
        if (!variable.starts_with(name)) continue;
        const auto words = split(variable.substr(name.size()), " ");
        if (words.size() != words_count) return std::nullopt;
        return SshLogin{{std::string(words[0]), std::string(words[1])},
                        {std::string(words[2]), std::string(words[3])}};
    }
    return std::nullopt;
}

std::string unit_of_login(pid_t process, const std::vector<std::string>& units) {
    const auto login = login_of(process);
    if (!login) return {};
    const auto socket = connection_between(login->client, login->server);
    if (!socket || !*socket || !(*socket)->control_group) return {};
    const std::filesystem::path group = path_of(*(*socket)->control_group);
    for (const std::string& unit : units)
        if (std::find(group.begin(), group.end(), unit) != group.end()) return unit;
    return {};
}

Result<void> permit_cut(const std::string& unit, const std::string& tunnel, bool others_serve,
                        bool detach) {
    if (!others_serve && !detach) {
        return Error{Fault::denied,
                     fmt::format("your login comes through {}, the only connector of {}, and no "
                                 "extra connector can help: if it does not come back, nobody can "
                                 "log in through the tunnel; use --detach to go on",
                                 unit, tunnel),
                     {}};
    }
    say("Your login comes through {}: it may end when that unit restarts. Everything goes "
        "on; log in again, then run: keyturnctl status {}\n",
        unit, tunnel);
    return {};
}

}  // namespace keyturn
