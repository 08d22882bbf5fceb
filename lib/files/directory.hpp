#pragma once

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "files/descriptor_reserve.hpp"

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <sys/stat.h>
#include <sys/types.h>
#include <vector>

namespace keyturn {

/// An open directory for keyturn's files. It was opened without following a symbolic link, has the
/// same owner as the files, and nobody else can write in it. So no name in it can change its
/// meaning between a check and an action. Its path is looked at for each operation: a directory
/// that was replaced, for example by restoring a backup, must not be written to in its old place.
class Directory {
  public:
    /// Opens the directory at `path`. It must belong to the user of this process. Root may work in
    /// another user's directory (`keyturnctl init`); its files then get that owner.
    [[nodiscard]] static Result<Directory> open(const std::string& path);

    /// Opens the directory `name` in this one. It must have the same owner.
    [[nodiscard]] Result<Directory> open_below(const std::string& name) const;

    /// Durably creates the directory `name` with mode 0700; leaves an existing one as it is.
    [[nodiscard]] Result<void> make_below(const std::string& name) const;

    /// Makes the names in this directory durable after creating, renaming or removing files.
    [[nodiscard]] Result<void> sync() const;

    [[nodiscard]] Result<std::vector<std::string>> names() const;

    /// Fails with `Fault::storage` if less than `bytes` and a few inodes are available to this
    /// process.
    [[nodiscard]] Result<void> check_room(unsigned long long bytes) const;

    [[nodiscard]] int fd() const { return fd_->get(); }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string path_of(std::string_view name) const;
    /// True if it belongs to the user of this process.
    [[nodiscard]] bool is_ours() const { return owner_ == self_; }
    [[nodiscard]] uid_t owner() const { return owner_; }
    [[nodiscard]] gid_t group() const { return group_; }
    [[nodiscard]] dev_t device() const { return device_; }

  private:
    friend class KeptDirectory;
    using Descriptor = std::shared_ptr<const UniqueFd>;

    Directory(Descriptor fd, std::string path, uid_t self)
        : fd_(std::move(fd)), path_(std::move(path)), self_(self) {}
    /// `above` is null for a path of its own; `self` is the user of this process.
    [[nodiscard]] static Result<Directory> open_in(const Directory* above, const std::string& name,
                                                   uid_t self);
    [[nodiscard]] static std::string path_in(const Directory* above, const std::string& name);
    [[nodiscard]] static int fd_of(const Directory* above);
    [[nodiscard]] Result<void> check_trust(const struct stat& status, const Directory* above);

    DescriptorReserve::Use use_;  // Ends when `fd_` is closed.
    Descriptor fd_;
    std::string path_;
    uid_t self_;  ///< The user of this process.
    uid_t owner_ = 0;
    gid_t group_ = 0;
    dev_t device_ = 0;
    ino_t inode_ = 0;
};

/// A directory, and those below it, for somebody who uses them again and again. They stay open: a
/// use only looks whether the path still leads to the open one, and whether that can be trusted.
class KeptDirectory {
  public:
    explicit KeptDirectory(std::string path) : path_(std::move(path)), self_(::geteuid()) {}

    [[nodiscard]] const std::string& path() const { return path_; }

    /// As `Directory::open` and `Directory::open_below`.
    [[nodiscard]] Result<Directory> open() const;
    [[nodiscard]] Result<Directory> open_below(const std::string& name) const;

  private:
    [[nodiscard]] Result<Directory> open_again(const Directory* above,
                                               const std::string& name) const;

    /// What is kept of a directory.
    struct Opened {
        Directory::Descriptor fd;
        dev_t device = 0;
        ino_t inode = 0;
    };

    std::string path_;
    uid_t self_;
    mutable std::map<std::string, Opened> opened_;  ///< By name.
};

/// Checks that `name` is valid as a file name wherever keyturn uses it: letters, digits and "-_.@",
/// no dot at the front, at most 128 characters. Fails with `Fault::invalid`.
[[nodiscard]] Result<void> check_file_name(std::string_view name);

}  // namespace keyturn
