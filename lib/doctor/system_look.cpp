#include "doctor/system_look.hpp"

#include "doctor/service_look.hpp"
#include "model/installed_names.hpp"
#include "setup/host_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <pwd.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

namespace keyturn {

namespace {

namespace fs = std::filesystem;

constexpr const char* state_directory = "/var/lib/keyturn";
constexpr const char* updater_timer = "cloudflared-update.timer";
constexpr mode_t private_mode = 0700;
constexpr std::string_view api_mark = "cfd_tunnel";
constexpr std::string_view terraform_mark = "tunnel_secret";
/// Enough for any host, and short for a person who waits.
constexpr std::size_t files_max = 2000;
constexpr std::size_t entries_max = 20'000;
constexpr std::string_view program_mark =
    "\x7f"
    "ELF";
constexpr int terraform_depth_max = 3;

std::string text_of(const std::string& path) {
    const auto file = read_host_file(path);
    return file && *file ? std::string((*file)->text.reveal()) : std::string();
}

/// Empty if keyturnd can use it, or if there is no keyturnd yet.
std::string state_problem(const std::string& path) {
    const passwd* const user = ::getpwnam(keyturnd_user);
    if (user == nullptr) return {};
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0)
        return errno == ENOENT ? std::string(path) + " does not exist" : std::string();
    if (!S_ISDIR(status.st_mode)) return path + " is no directory";
    if (status.st_uid != user->pw_uid) return path + " does not belong to the user keyturn";
    if ((status.st_mode & ALLPERMS) != private_mode)
        return fmt::format("{} has mode {:o} instead of 700", path, status.st_mode & ALLPERMS);
    return {};
}

void look_at_disk(const std::string& path, SystemSeen& seen) {
    struct statvfs status {};
    if (::statvfs(path.c_str(), &status) != 0) return;
    seen.free_bytes = static_cast<std::uint64_t>(status.f_bavail) * status.f_frsize;
    // Some file systems have no fixed number of inodes.
    if (status.f_files > 0) seen.free_inodes = status.f_favail;
}

bool is_journal_persistent(const std::string& root) {
    std::string machine = text_of(root + "/etc/machine-id");
    machine.resize(std::min(machine.find('\n'), machine.size()));
    std::error_code error;
    const fs::path journal = root + "/var/log/journal/" + machine;
    return machine.empty() || fs::exists(journal / "system.journal", error);
}

/// Whether the file may change a tunnel's secret, by a word in it.
class RotatorSearch {
  public:
    explicit RotatorSearch(std::string root) : root_(std::move(root)) {}

    void look_at(const fs::path& path, std::string_view mark) {
        if (++looked_ > files_max) return;
        const auto file = read_host_file(path);
        if (!file || !*file) return;
        const std::string_view text = (*file)->text.reveal();
        // keyturnd itself contains the word.
        if (text.starts_with(program_mark) || text.find(mark) == std::string_view::npos) return;
        found.push_back({path.string().substr(root_.size()), std::string(mark)});
    }

    void look_in(const std::string& folder, std::string_view suffix) {
        std::error_code error;
        for (const auto& entry : fs::directory_iterator(root_ + folder, error)) {
            const std::string name = entry.path().filename();
            if (name.ends_with(suffix) && !name.starts_with('.')) look_at(entry.path(), api_mark);
        }
    }

    void look_for_terraform(const std::string& folder) {
        std::error_code error;
        fs::recursive_directory_iterator entry(
            root_ + folder, fs::directory_options::skip_permission_denied, error);
        for (; !error && entry != fs::end(entry) && ++entries_ < entries_max;
             entry.increment(error)) {
            if (entry.depth() >= terraform_depth_max) entry.disable_recursion_pending();
            const std::string suffix = entry->path().extension();
            if (suffix == ".tf") look_at(entry->path(), terraform_mark);
        }
    }

    std::vector<RotatorSeen> found;

  private:
    std::string root_;
    std::size_t looked_ = 0;
    std::size_t entries_ = 0;
};

}  // namespace

std::vector<std::string> open_swaps(std::string_view text) {
    std::vector<std::string> swaps;
    text.remove_prefix(std::min(text.find('\n'), text.size()));  // The heading.
    while (!text.empty()) {
        text.remove_prefix(1);
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size(), text.size()));
        const std::string_view device = line.substr(0, line.find_first_of(" \t"));
        const bool sealed = device.starts_with("/dev/zram") || device.starts_with("/dev/dm-") ||
                            device.starts_with("/dev/mapper/");
        if (!device.empty() && !sealed) swaps.emplace_back(device);
    }
    return swaps;
}

int version_number(std::string_view text) {
    int version = 0;
    std::from_chars(text.data(), text.data() + text.size(), version);
    return version;
}

std::vector<RotatorSeen> look_for_rotators(const std::string& root) {
    RotatorSearch search(root);
    search.look_at(root + "/etc/crontab", api_mark);
    for (const char* folder : {"/etc/cron.d", "/etc/cron.hourly", "/etc/cron.daily",
                               "/etc/cron.weekly", "/etc/cron.monthly", "/var/spool/cron/crontabs"})
        search.look_in(folder, "");
    search.look_in("/etc/systemd/system", ".service");
    for (const char* folder : {"/usr/local/bin", "/usr/local/sbin"}) search.look_in(folder, "");
    for (const char* folder : {"/etc/terraform", "/opt", "/srv", "/root", "/home"})
        search.look_for_terraform(folder);
    std::ranges::sort(search.found, {}, &RotatorSeen::path);
    return std::move(search.found);
}

std::vector<int> other_daemons(std::uint32_t own) {
    std::vector<int> found;
    std::error_code error;
    const auto here = fs::read_symlink("/proc/self/ns/pid", error);
    for (const auto& entry : fs::directory_iterator("/proc", error)) {
        const std::string name = entry.path().filename();
        const int process = version_number(name);
        if (process <= 0 || static_cast<std::uint32_t>(process) == own) continue;
        const std::string program = text_of(entry.path() / "comm");
        if (program != "keyturnd\n" && program != "keyturnd-fleet\n") continue;
        // One in a container is that container's own.
        std::error_code gone;
        if (fs::read_symlink(entry.path() / "ns/pid", gone) == here && !gone)
            found.push_back(process);
    }
    return found;
}

SystemSeen look_at_system(ServiceLook* services, const std::string& root) {
    SystemSeen seen;
    const std::string state = root + state_directory;
    seen.state_problem = state_problem(state);
    look_at_disk(fs::exists(state) ? state : root + "/var/lib", seen);
    seen.journal_persistent = is_journal_persistent(root);
    seen.open_swaps = open_swaps(text_of(root + "/proc/swaps"));
    seen.rotators = look_for_rotators(root);
    if (services == nullptr) return seen;
    seen.systemd_version = version_number(services->manager_text("Version"));
    if (services->is_active(updater_timer)) seen.updater = updater_timer;
    return seen;
}

}  // namespace keyturn
