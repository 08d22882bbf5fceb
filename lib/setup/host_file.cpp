#include "setup/host_file.hpp"

#include "base/unique_fd.hpp"
#include "files/file.hpp"

#include <climits>
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace keyturn {

namespace {

constexpr mode_t directory_mode = 0755;
constexpr std::size_t lines_around = 2;
constexpr std::size_t read_size = 4096;

/// What a path stands for, links followed. The last part need not exist.
std::string target_of(const std::string& path) {
    std::error_code error;
    const auto target = std::filesystem::weakly_canonical(path, error);
    return error ? path : target.string();
}

Result<void> sync_directory(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!fd.valid() || ::fsync(fd.get()) != 0) return errno_error(errno, "cannot sync " + path);
    return {};
}

/// The new file before it replaces this one. A run that was interrupted may have left it.
std::string temporary_of(const std::filesystem::path& path) {
    return path.parent_path() / fmt::format(".{}.keyturn", path.filename().string());
}

Result<void> unlink_if_there(const std::string& path) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT && errno != ENOTDIR)
        return errno_error(errno, "cannot remove " + path);
    return {};
}

Result<void> make_directories(const std::filesystem::path& path) {
    if (path.empty() || std::filesystem::exists(path)) return {};
    if (auto above = make_directories(path.parent_path()); !above) return above;
    if (::mkdir(path.c_str(), directory_mode) != 0 && errno != EEXIST)
        return errno_error(errno, "cannot create " + path.string());
    if (::chmod(path.c_str(), directory_mode) != 0)
        return errno_error(errno, "cannot set the mode of " + path.string());
    return sync_directory(path.parent_path());
}

Result<void> write_new(const std::string& path, std::string_view text, const FileOwner& owner) {
    constexpr int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    const UniqueFd fd(::open(path.c_str(), flags, S_IRUSR | S_IWUSR));
    if (!fd.valid()) return errno_error(errno, "cannot create " + path);
    // The owner and the mode come before the content, because the content may be a token.
    if (::fchown(fd.get(), owner.user, owner.group) != 0 || ::fchmod(fd.get(), owner.mode) != 0)
        return errno_error(errno, "cannot set the owner of " + path);
    if (auto written = write_all(fd.get(), text, path); !written) return written;
    if (::fsync(fd.get()) != 0) return errno_error(errno, "cannot sync " + path);
    return {};
}

void grow(Secret& text) {
    Secret larger(2 * text.size());
    std::ranges::copy(text.reveal(), larger.data());
    text = std::move(larger);
}

std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.push_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

}  // namespace

Result<std::optional<HostFile>> read_host_file(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
    if (!fd.valid()) {
        if (errno == ENOENT || errno == ENOTDIR) return std::optional<HostFile>{};
        return errno_error(errno, "cannot read " + path);
    }
    struct stat status {};
    if (::fstat(fd.get(), &status) != 0) return errno_error(errno, "cannot read " + path);
    if (!S_ISREG(status.st_mode)) return Error{Fault::invalid, path + " is not a regular file", {}};
    const auto too_long = [&] {
        return Error{Fault::invalid, fmt::format("{} has more than 1 MiB", path), {}};
    };
    // The kernel's own files (/proc) do not say how long they are.
    const auto expected = static_cast<std::size_t>(std::max<off_t>(status.st_size, 0));
    if (expected > host_file_max) return too_long();
    HostFile file;
    file.text = Secret(expected + read_size);
    std::size_t size = 0;
    for (;;) {
        if (size == file.text.size()) grow(file.text);
        const ssize_t count = ::read(fd.get(), file.text.data() + size, file.text.size() - size);
        if (count < 0 && errno == EINTR) continue;
        if (count < 0) return errno_error(errno, "cannot read " + path);
        if (count == 0) break;
        size += static_cast<std::size_t>(count);
        if (size > host_file_max) return too_long();
    }
    file.text.truncate(size);
    file.owner = {status.st_mode & ALLPERMS, status.st_uid, status.st_gid};
    return std::optional<HostFile>(std::move(file));
}

Result<void> write_host_file(const std::string& path, std::string_view text,
                             const FileOwner& owner) {
    const std::filesystem::path target = target_of(path);
    if (auto made = make_directories(target.parent_path()); !made) return made;
    const std::string temporary = temporary_of(target);
    if (auto removed = unlink_if_there(temporary); !removed) return removed;
    if (auto written = write_new(temporary, text, owner); !written) {
        ::unlink(temporary.c_str());
        return written;
    }
    if (::rename(temporary.c_str(), target.c_str()) != 0) {
        const Error error = errno_error(errno, "cannot replace " + target.string());
        ::unlink(temporary.c_str());
        return error;
    }
    return sync_directory(target.parent_path());
}

Result<void> remove_host_file(const std::string& path) {
    if (auto removed = unlink_if_there(temporary_of(path)); !removed) return removed;
    if (auto removed = unlink_if_there(path); !removed) return removed;
    const std::filesystem::path directory = std::filesystem::path(path).parent_path();
    if (!std::filesystem::exists(directory)) return {};
    if (auto synced = sync_directory(directory); !synced) return synced;
    // It fails if the directory is not empty, which is fine.
    if (directory.extension() == ".d") ::rmdir(directory.c_str());
    return {};
}

std::string diff_of(std::string_view before, std::string_view after) {
    const auto old_lines = lines_of(before);
    const auto new_lines = lines_of(after);
    const std::size_t least = std::min(old_lines.size(), new_lines.size());
    std::size_t same = 0;
    while (same < least && old_lines[same] == new_lines[same]) ++same;
    std::size_t tail = 0;
    while (tail < least - same &&
           old_lines[old_lines.size() - 1 - tail] == new_lines[new_lines.size() - 1 - tail])
        ++tail;
    if (same == old_lines.size() && same == new_lines.size()) return {};
    std::string text;
    const auto add = [&](std::string_view mark, std::string_view line) {
        text += fmt::format("{} {}\n", mark, line);
    };
    for (std::size_t i = same - std::min(same, lines_around); i < same; ++i) add(" ", old_lines[i]);
    for (std::size_t i = same; i < old_lines.size() - tail; ++i) add("-", old_lines[i]);
    for (std::size_t i = same; i < new_lines.size() - tail; ++i) add("+", new_lines[i]);
    const std::size_t rest = new_lines.size() - tail;
    for (std::size_t i = rest; i < std::min(rest + lines_around, new_lines.size()); ++i)
        add(" ", new_lines[i]);
    return text;
}

}  // namespace keyturn
