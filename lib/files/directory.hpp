#pragma once

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "files/descriptor_reserve.hpp"

#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

namespace keyturn {

/// An open directory in which we keep files. It was opened without following a symbolic link, its
/// owner is the one that our files have, and nobody else may write in it; so no name in it changes
/// its meaning between a look and an act. Opened anew for each operation: a directory that was
/// replaced (a backup put back, say) must not be written to in its old place.
class Directory {
  public:
    /// The directory at `path`. It has to belong to the user that we run as; root may work in a
    /// directory of another user (`keyturnctl init`), and its files then get that owner.
    [[nodiscard]] static Result<Directory> open(const std::string& path);

    /// The directory `name` in this one, with the same owner.
    [[nodiscard]] Result<Directory> open_below(const std::string& name) const;

    /// Makes the directory `name`, 0700, durably; one that is there already is left as it is.
    [[nodiscard]] Result<void> make_below(const std::string& name) const;

    /// Makes the names in this directory durable: what was created, renamed or removed.
    [[nodiscard]] Result<void> sync() const;

    [[nodiscard]] Result<std::vector<std::string>> names() const;

    /// `Fault::storage` when less than `bytes` and a few inodes are free for us.
    [[nodiscard]] Result<void> check_room(unsigned long long bytes) const;

    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] const std::string& path() const { return path_; }
    [[nodiscard]] std::string path_of(std::string_view name) const;
    [[nodiscard]] uid_t owner() const { return owner_; }
    [[nodiscard]] gid_t group() const { return group_; }
    [[nodiscard]] dev_t device() const { return device_; }

  private:
    Directory(UniqueFd fd, std::string path) : fd_(std::move(fd)), path_(std::move(path)) {}
    [[nodiscard]] static Result<Directory> open_at(int parent, const std::string& name,
                                                   std::string path);
    [[nodiscard]] Result<void> check_trust();

    DescriptorReserve::Use use_;  // Ends when `fd_` is closed.
    UniqueFd fd_;
    std::string path_;
    uid_t owner_ = 0;
    gid_t group_ = 0;
    dev_t device_ = 0;
};

/// Whether `name` can stand as one file's name wherever we use it: letters, digits and "-_.@", not
/// beginning with a dot, at most 128 characters.
[[nodiscard]] Result<void> check_file_name(std::string_view name);

}  // namespace keyturn
