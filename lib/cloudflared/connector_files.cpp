// Reads from the disk what decides where a connector takes its token from.

#include "base/secret.hpp"
#include "base/unique_fd.hpp"
#include "cloudflared/attestation.hpp"
#include "cloudflared/cloudflared_command.hpp"
#include "cloudflared/configuration_file.hpp"
#include "cloudflared/unit_environment.hpp"
#include "cloudflared/unit_words.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace keyturn {

namespace {

/// How many bytes of a program are read to see whether it is a script.
constexpr std::size_t first_line_max = 128;
constexpr std::array<std::string_view, 6> shells{"sh", "bash", "dash", "zsh", "ksh", "ash"};

/// In wiped memory, because it may contain a token.
struct FileText {
    Secret text{};
    int error = 0;  ///< errno; 0 if it was read.
};

FileText read_text(const std::string& path, std::size_t size_max) {
    FileText file;
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    struct stat status {};
    if (!fd.valid() || ::fstat(fd.get(), &status) != 0) {
        file.error = errno;
        return file;
    }
    if (!S_ISREG(status.st_mode)) {
        file.error = EINVAL;
        return file;
    }
    const auto announced = static_cast<std::size_t>(std::max<off_t>(status.st_size, 0));
    file.text = Secret(std::min(announced, size_max));
    std::size_t size = 0;
    while (size < file.text.size()) {
        const ssize_t count = ::read(fd.get(), file.text.data() + size, file.text.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) file.error = errno;
        if (count <= 0) break;
        size += static_cast<std::size_t>(count);
    }
    file.text.truncate(size);
    return file;
}

bool is_absent(int error) {
    return error == ENOENT || error == ENOTDIR;
}

/// Reads only /etc/passwd, because a name service may be slow. Empty if the user is not in it.
std::string home_in_passwd(const std::string& user, const std::string& root) {
    const FileText passwd = read_text(root + "/etc/passwd", configuration_size_max);
    std::string_view rest = passwd.text.reveal();
    while (!rest.empty()) {
        std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        std::vector<std::string_view> fields;
        for (;;) {
            const std::size_t colon = line.find(':');
            fields.push_back(line.substr(0, colon));
            if (colon == std::string_view::npos) break;
            line.remove_prefix(colon + 1);
        }
        constexpr std::size_t home_field = 5;
        if (fields.size() > home_field && (fields[0] == user || fields[2] == user))
            return std::string(fields[home_field]);
    }
    return {};
}

/// Empty if cloudflared can read nothing in its home directory.
std::string home_of(const UnitSettings& settings, const CloudflaredCommand& command,
                    const std::string& root) {
    if (settings.protect_home == "yes" || settings.protect_home == "tmpfs") return {};
    if (const auto home = variable_value(settings, command, "HOME")) return *home;
    if (settings.user.empty() || settings.user == "root" || settings.user == "0") return "/root";
    if (settings.dynamic_user) return "/";
    return home_in_passwd(settings.user, root);
}

/// Where a container looks that has these files of this host mounted. Images of cloudflared run as
/// root or as this user.
constexpr const char* image_user = "nonroot";

std::vector<std::string> paths_outside(const CloudflaredCommand& command,
                                       const std::optional<std::string>& named) {
    std::vector<std::string> inside = default_configuration_paths("/root");
    for (std::string& path : default_configuration_paths(std::string("/home/") + image_user))
        if (std::ranges::find(inside, path) == inside.end()) inside.push_back(std::move(path));
    if (named) inside = {*named};
    std::vector<std::string> outside;
    for (const std::string& path : inside)
        if (auto mounted = command.path_outside(path); !mounted.empty())
            outside.push_back(std::move(mounted));
    return outside;
}

std::vector<std::string> configuration_paths_of(const UnitSettings& settings,
                                                const CloudflaredCommand& command,
                                                const std::string& root) {
    const auto named = command.value_of("config");
    if (command.contained) return paths_outside(command, named);
    if (named) return {*named};
    return default_configuration_paths(home_of(settings, command, root));
}

void look_at_configuration(const UnitSettings& settings, const CloudflaredCommand& command,
                           const std::string& root, ConnectorFiles& files) {
    for (const std::string& path : configuration_paths_of(settings, command, root)) {
        if (path.find_first_of("$%") != std::string::npos) {
            files.unseen.push_back(path);
            continue;
        }
        const FileText file = read_text(root + path, configuration_size_max);
        if (is_absent(file.error)) continue;
        if (file.error != 0 || file.text.size() == configuration_size_max) {
            files.unseen.push_back(path);
            continue;
        }
        files.configuration = read_configuration(file.text.reveal());
        files.configuration.path = path;
        return;
    }
}

bool is_shell_script(const std::string& path, const std::string& root) {
    const FileText file = read_text(root + path, first_line_max);
    std::string_view line = file.text.reveal();
    if (!line.starts_with("#!")) return false;
    line = line.substr(0, line.find('\n')).substr(2);
    while (!line.empty()) {
        const std::size_t begin = std::min(line.find_first_not_of(" \t\r"), line.size());
        line.remove_prefix(begin);
        const std::string_view word = line.substr(0, line.find_first_of(" \t\r"));
        line.remove_prefix(word.size());
        if (std::find(shells.begin(), shells.end(), base_name(word)) != shells.end()) return true;
    }
    return false;
}

/// True if such a file sets a connector's token and nothing else. Only variable names are compared.
bool holds_token_alone(const std::string& path, const std::string& root) {
    const FileText file = read_text(root + path, configuration_size_max);
    if (file.error != 0) return false;
    bool token = false;
    std::string_view rest = file.text.reveal();
    while (!rest.empty()) {
        std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        const std::size_t begin = line.find_first_not_of(" \t\r");
        if (begin == std::string_view::npos || line[begin] == '#' || line[begin] == ';') continue;
        line.remove_prefix(begin);
        if (!line.starts_with("TUNNEL_TOKEN=") && !line.starts_with("TUNNEL_TOKEN_FILE="))
            return false;
        if (line.ends_with('\\')) return false;
        token = true;
    }
    return token;
}

}  // namespace

ConnectorFiles look_at_files(const UnitSettings& settings, const std::string& root) {
    ConnectorFiles files;
    for (const std::string& entry : settings.environment_files) {
        const std::string path = entry.substr(entry.starts_with('-') ? 1 : 0);
        if (holds_token_alone(path, root)) files.token_only.push_back(path);
    }
    for (const std::vector<std::string>& arguments : settings.exec_start) {
        if (!arguments.empty() && is_shell_script(arguments.front(), root))
            files.script = arguments.front();
        const auto command = read_cloudflared_command(arguments);
        if (!command) continue;
        const std::string& program = arguments[command->program];
        if (!command->contained && program.starts_with('/') && is_shell_script(program, root))
            files.script = program;
        look_at_configuration(settings, *command, root, files);
        break;
    }
    if (!files.unseen.empty()) {
        const FileText text =
            read_text(root + attestation_path(settings.name), configuration_size_max);
        const auto attestation = read_attestation(text.text.reveal());
        if (attestation) accept_attested(settings, *attestation, files);
    }
    return files;
}

std::vector<std::string> configuration_paths(const UnitSettings& settings) {
    for (const std::vector<std::string>& arguments : settings.exec_start) {
        const auto command = read_cloudflared_command(arguments);
        if (command) return configuration_paths_of(settings, *command, "");
    }
    return {};
}

}  // namespace keyturn
