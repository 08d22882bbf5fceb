#include "base/trust.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <filesystem>
#include <system_error>
#include <unistd.h>

namespace keyturn {
namespace {

Error distrusted(const std::string& path, const std::string& reason) {
    return Error{Fault::denied, fmt::format("{} is {}", path, reason)};
}

Result<void> check_directory(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return errno_error(errno, "cannot examine " + path);
    const bool sticky = (status.st_mode & S_ISVTX) != 0;
    if (sticky) status.st_mode &= ~static_cast<mode_t>(S_IWGRP | S_IWOTH);
    const std::string reason = distrust_owner(status);
    if (!reason.empty()) return distrusted(path, reason);
    return {};
}

Result<void> check_directories_above(const std::filesystem::path& path) {
    for (std::filesystem::path above = path.parent_path();; above = above.parent_path()) {
        const Result<void> checked = check_directory(above.string());
        if (!checked || above == above.root_path()) return checked;
    }
}

}  // namespace

std::string distrust_owner(const struct stat& status) {
    if ((status.st_mode & (S_IWGRP | S_IWOTH)) != 0) {
        return fmt::format(
            "writable by {}, who could change what keyturnd does (mode {:04o}); run `chmod go-w` "
            "on it",
            (status.st_mode & S_IWOTH) != 0 ? "everybody" : "its group", status.st_mode & 07777U);
    }
    if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
        return fmt::format(
            "owned by user id {}, who is neither root nor the user of this process; run "
            "`chown root` on it",
            status.st_uid);
    }
    return {};
}

Result<void> check_way_to(const std::string& path) {
    std::error_code failure;
    const std::filesystem::path given = std::filesystem::absolute(path, failure);
    if (failure) return errno_error(failure.value(), "cannot find " + path);
    const Result<void> checked = check_directories_above(given.lexically_normal());
    if (!checked) return checked;
    const std::filesystem::path real = std::filesystem::canonical(given, failure);
    if (failure) return errno_error(failure.value(), "cannot find " + path);
    return check_directories_above(real);
}

Result<void> check_trusted_file(const std::string& path) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return errno_error(errno, "cannot examine " + path);
    if (!S_ISREG(status.st_mode)) return Error{Fault::invalid, path + " is not a regular file"};
    const std::string reason = distrust_owner(status);
    if (!reason.empty()) return distrusted(path, reason);
    return check_way_to(path);
}

}  // namespace keyturn
