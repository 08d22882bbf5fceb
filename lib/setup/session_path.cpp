#include "setup/session_path.hpp"

#include "setup/host_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <string_view>

namespace keyturn {

namespace {

constexpr std::string_view established = "01";
/// More processes above one another than any session has.
constexpr int ancestors_max = 64;

std::vector<std::string_view> words_of(std::string_view line) {
    std::vector<std::string_view> words;
    while (!line.empty()) {
        line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
        const std::string_view word = line.substr(0, line.find(' '));
        if (!word.empty()) words.push_back(word);
        line.remove_prefix(word.size());
    }
    return words;
}

/// The fourth field of /proc/PID/stat; the second is the name in parentheses.
pid_t parent_of(pid_t process) {
    const auto file = read_host_file(fmt::format("/proc/{}/stat", process));
    if (!file || !*file) return 0;
    std::string_view text = (*file)->text.reveal();
    text.remove_prefix(std::min(text.rfind(')') + 1, text.size()));
    const auto words = words_of(text);
    constexpr std::size_t parent_field = 1;
    pid_t parent = 0;
    if (words.size() > parent_field)
        std::from_chars(words[parent_field].data(),
                        words[parent_field].data() + words[parent_field].size(), parent);
    return parent;
}

/// The inodes of the sockets that a process has open.
std::vector<std::string> sockets_of(pid_t process) {
    constexpr std::string_view prefix = "socket:[";
    std::vector<std::string> inodes;
    std::error_code error;
    for (const auto& entry :
         std::filesystem::directory_iterator(fmt::format("/proc/{}/fd", process), error)) {
        std::error_code gone;
        const std::string target = std::filesystem::read_symlink(entry.path(), gone);
        if (target.starts_with(prefix))
            inodes.push_back(target.substr(prefix.size(), target.size() - prefix.size() - 1));
    }
    return inodes;
}

bool contains(const std::vector<std::string>& inodes, const std::string& inode) {
    return std::ranges::find(inodes, inode) != inodes.end();
}

}  // namespace

std::vector<TcpConnection> read_tcp_connections(std::string_view text) {
    std::vector<TcpConnection> connections;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const auto words = words_of(line);
        constexpr std::size_t inode_field = 9;
        if (words.size() <= inode_field || words[3] != established) continue;
        connections.push_back(
            {std::string(words[1]), std::string(words[2]), std::string(words[inode_field])});
    }
    return connections;
}

std::vector<pid_t> connectors_of_session(pid_t process, const std::vector<pid_t>& connectors) {
    std::vector<TcpConnection> connections;
    for (const char* path : {"/proc/net/tcp", "/proc/net/tcp6"}) {
        const auto file = read_host_file(path);
        if (!file || !*file) continue;
        const auto read = read_tcp_connections((*file)->text.reveal());
        connections.insert(connections.end(), read.begin(), read.end());
    }
    std::vector<pid_t> found;
    for (int i = 0; process > 1 && i < ancestors_max; ++i, process = parent_of(process)) {
        const auto own = sockets_of(process);
        for (const TcpConnection& here : connections) {
            if (!contains(own, here.inode)) continue;
            for (const TcpConnection& there : connections) {
                if (there.local != here.remote || there.remote != here.local) continue;
                for (const pid_t connector : connectors)
                    if (contains(sockets_of(connector), there.inode)) found.push_back(connector);
            }
        }
    }
    return found;
}

}  // namespace keyturn
