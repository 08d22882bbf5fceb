#include "dump_file.hpp"

#include "base/unique_fd.hpp"
#include "files/file.hpp"
#include "setup/command.hpp"
#include "setup/host_file.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace keyturn {

namespace {

constexpr std::chrono::seconds patience{60};
constexpr std::size_t archive_max = std::size_t{64} * 1024 * 1024;
constexpr mode_t private_mode = S_IRUSR | S_IWUSR;

/// A directory in memory that only root can enter, for the time that it takes.
class Stage {
  public:
    Stage() = default;
    Stage(const Stage&) = delete;
    Stage& operator=(const Stage&) = delete;
    ~Stage() {
        std::error_code error;
        if (!path_.empty()) std::filesystem::remove_all(path_, error);
    }

    Result<void> make() {
        std::string path = "/run/keyturn-dump.XXXXXX";
        if (::mkdtemp(path.data()) == nullptr) return errno_error(errno, "cannot create " + path);
        path_ = path;
        return {};
    }

    [[nodiscard]] const std::string& path() const { return path_; }

  private:
    std::string path_;
};

Result<void> write_new(const std::string& path, std::string_view bytes) {
    const UniqueFd fd(
        ::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, private_mode));
    if (!fd.valid()) return errno_error(errno, "cannot create " + path);
    auto written = write_all(fd.get(), bytes, path);
    if (written && ::fsync(fd.get()) != 0) written = errno_error(errno, "cannot sync " + path);
    if (!written) ::unlink(path.c_str());
    return written;
}

}  // namespace

Result<void> write_archive(const std::string& path, const std::string& top,
                           const std::vector<DumpFile>& files) {
    Stage stage;
    if (auto made = stage.make(); !made) return made;
    for (const DumpFile& file : files) {
        const std::string place = fmt::format("{}/{}/{}", stage.path(), top, file.name);
        const auto written = write_host_file(place, file.content.text, {private_mode, 0, 0});
        if (!written) return written;
    }
    const auto archive = run_command({"tar", "--create", "--gzip", "--owner=0", "--group=0",
                                      "--numeric-owner", "--directory", stage.path(), top},
                                     Secret(), patience, archive_max);
    if (!archive) return archive.error();
    if (archive->exit_code != 0) return Error{Fault::storage, "tar failed: " + archive->errors, {}};
    if (archive->output.size() == archive_max)
        return Error{Fault::invalid, "the dump has more than 64 MiB", {}};
    return write_new(path, archive->output.reveal());
}

}  // namespace keyturn
