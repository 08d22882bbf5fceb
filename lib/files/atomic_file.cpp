#include "files/atomic_file.hpp"

#include "base/ascii.hpp"
#include "files/descriptor_reserve.hpp"
#include "files/file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>

namespace keyturn {
namespace {

constexpr std::string_view infix = ".keyturn-";
constexpr std::string_view suffix = ".tmp";
constexpr std::size_t random_digits = 8;

Result<std::string> temporary_name_for(const std::string& name) {
    std::uint32_t number = 0;
    if (::getrandom(&number, sizeof number, 0) != static_cast<ssize_t>(sizeof number)) {
        return errno_error(errno, "cannot create a random file name");
    }
    return fmt::format(".{}{}{:08x}{}", name, infix, number, suffix);
}

/// Sets mode and owner before the first byte. The umask can only have removed permissions.
Result<void> dress(int fd, const Directory& directory, const std::string& name) {
    if (::fchmod(fd, file_mode) != 0) {
        return errno_error(errno,
                           fmt::format("cannot set the mode of {}", directory.path_of(name)));
    }
    if (directory.is_ours()) return {};
    if (::fchown(fd, directory.owner(), directory.group()) != 0) {
        return errno_error(errno,
                           fmt::format("cannot set the owner of {}", directory.path_of(name)));
    }
    return {};
}

}  // namespace

AtomicFile::AtomicFile(const Directory& directory, std::string temporary_name, UniqueFd fd)
    : directory_(&directory), temporary_name_(std::move(temporary_name)), fd_(std::move(fd)) {}

Result<AtomicFile> AtomicFile::create(const Directory& directory, const std::string& name,
                                      std::string_view bytes) {
    Result<std::string> temporary_name = temporary_name_for(name);
    if (!temporary_name) return temporary_name.error();
    UniqueFd fd(open_file(directory.fd(), *temporary_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW,
                          file_mode));
    if (!fd.valid()) {
        return errno_error(errno, fmt::format("cannot create a file in {}", directory.path()));
    }
    AtomicFile file(directory, std::move(*temporary_name), std::move(fd));
    const Result<void> dressed = dress(file.fd_.get(), directory, file.temporary_name_);
    if (!dressed) return dressed.error();
    const Result<void> written =
        write_all(file.fd_.get(), bytes, directory.path_of(file.temporary_name_));
    if (!written) return written.error();
    return file;
}

AtomicFile::~AtomicFile() {
    // Also removes what a failed write left of a secret, but without a sync: if a power cut brings
    // the name back, the sweep at the next start removes it.
    if (fd_.valid()) static_cast<void>(::unlinkat(directory_->fd(), temporary_name_.c_str(), 0));
}

Result<void> AtomicFile::sync() {
    if (::fsync(fd_.get()) == 0) return {};
    return errno_error(errno, fmt::format("cannot sync {}", directory_->path_of(temporary_name_)));
}

Result<void> AtomicFile::rename(const std::string& from, const std::string& to) const {
    const int directory = directory_->fd();
    if (::renameat(directory, from.c_str(), directory, to.c_str()) == 0) return {};
    return errno_error(errno, fmt::format("cannot replace {}", directory_->path_of(to)));
}

Result<void> AtomicFile::commit(const std::string& final_name, const std::string& previous_name) {
    const Result<void> synced = sync();
    if (!synced) return synced.error();
    if (!previous_name.empty()) {
        const Result<void> kept = rename(final_name, previous_name);
        if (!kept && kept.error().fault != Fault::missing) return kept.error();
    }
    const Result<void> renamed = rename(temporary_name_, final_name);
    if (!renamed) return renamed.error();
    fd_ = UniqueFd();
    return directory_->sync();
}

Result<void> AtomicFile::sync_and_discard() {
    const Result<void> synced = sync();
    if (!synced) return synced.error();
    fd_ = UniqueFd();
    return remove_file(*directory_, temporary_name_);
}

Result<void> replace_file(const Directory& directory, const std::string& name,
                          std::string_view bytes, const std::string& previous_name) {
    Result<AtomicFile> file = AtomicFile::create(directory, name, bytes);
    if (!file) return file.error();
    return file->commit(name, previous_name);
}

bool is_temporary_of(std::string_view name, std::string_view target) {
    const std::size_t size = 1 + target.size() + infix.size() + random_digits + suffix.size();
    return name.size() == size && name.front() == '.' && name.substr(1).starts_with(target) &&
           name.substr(1 + target.size()).starts_with(infix) && name.ends_with(suffix) &&
           std::ranges::all_of(name.substr(1 + target.size() + infix.size(), random_digits),
                               is_lower_hex);
}

bool is_temporary(std::string_view name) {
    const std::size_t rest = 1 + infix.size() + random_digits + suffix.size();
    return name.size() > rest && is_temporary_of(name, name.substr(1, name.size() - rest));
}

void remove_temporaries(const Directory& directory) {
    const Result<std::vector<std::string>> names = directory.names();
    if (!names) return;
    for (const std::string& name : *names) {
        if (is_temporary(name)) static_cast<void>(remove_file(directory, name).has_value());
    }
}

}  // namespace keyturn
