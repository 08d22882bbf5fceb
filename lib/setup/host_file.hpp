#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>

namespace keyturn {

/// What is kept of a file when its content is replaced.
struct FileOwner {
    mode_t mode = 0644;
    uid_t user = 0;
    gid_t group = 0;

    bool operator==(const FileOwner&) const = default;
};

struct HostFile {
    Secret text;  ///< Any file of a connector may contain a token.
    FileOwner owner;
};

/// In bytes; far above any unit file, configuration or token file.
inline constexpr std::size_t host_file_max = 1024 * 1024;

/// Reads a regular file as root; nothing if it does not exist. Follows symbolic links, like the
/// program that the file is for.
[[nodiscard]] Result<std::optional<HostFile>> read_host_file(const std::string& path);

/// Replaces a file completely or not at all, and creates the directories above it (mode 0755).
/// Replaces what a symbolic link points at, not the link. Durable when it returns.
[[nodiscard]] Result<void> write_host_file(const std::string& path, std::string_view text,
                                           const FileOwner& owner);

/// Durably removes a file, what an interrupted `write_host_file` has left beside it, and the
/// directory if that is empty then and ends with ".d". Succeeds if there is none.
[[nodiscard]] Result<void> remove_host_file(const std::string& path);

/// The lines that differ, in the way of `diff`: "- old", "+ new", with a few lines around them.
/// `before` is empty for a new file. Pure.
[[nodiscard]] std::string diff_of(std::string_view before, std::string_view after);

}  // namespace keyturn
