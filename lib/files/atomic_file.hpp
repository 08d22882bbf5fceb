#pragma once

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "files/directory.hpp"

#include <string>
#include <string_view>

namespace keyturn {

/// New content for a file, which replaces the file completely or not at all:
///  1. `create`: makes a temporary file in the same directory, exclusively, with mode 0600 and the
///     directory's owner before it contains a byte, and writes the content;
///  2. `commit`: fsync, rename, fsync of the directory. Without the sync before the rename, a power
///     cut could leave the new name with the new size and no data. The sync after it makes the
///     rename durable. Between the two, a power cut may leave either content.
/// Until `commit` has renamed the file, the destructor removes it. The directory must outlive it.
/// After a failed fsync the kernel considers the pages clean, and a second fsync would falsely
/// report success (fsync(2)). So nothing here is ever retried, and the caller starts over with
/// another file.
class AtomicFile {
  public:
    /// `name` is the file to replace; the temporary file is ".NAME.keyturn-XXXXXXXX.tmp".
    [[nodiscard]] static Result<AtomicFile> create(const Directory& directory,
                                                   const std::string& name, std::string_view bytes);

    AtomicFile(AtomicFile&&) noexcept = default;
    AtomicFile& operator=(AtomicFile&&) = delete;
    AtomicFile(const AtomicFile&) = delete;
    ~AtomicFile();

    /// Replaces `final_name`. After an error that follows the rename, the new content may already
    /// be in place, but not durably: the caller must repeat everything instead of continuing. With
    /// a `previous_name`, the old content is kept under that name. A crash between the two renames
    /// leaves nothing under the final name and the old content under the other.
    [[nodiscard]] Result<void> commit(const std::string& final_name,
                                      const std::string& previous_name = std::string());

    /// Only the first half of `commit`, for a probe: syncs the data to the disk, then removes the
    /// file.
    [[nodiscard]] Result<void> sync_and_discard();

  private:
    AtomicFile(const Directory& directory, std::string temporary_name, UniqueFd fd);
    [[nodiscard]] Result<void> sync();
    [[nodiscard]] Result<void> rename(const std::string& from, const std::string& to) const;

    const Directory* directory_;
    std::string temporary_name_;
    UniqueFd fd_;
};

/// Create and commit.
[[nodiscard]] Result<void> replace_file(const Directory& directory, const std::string& name,
                                        std::string_view bytes,
                                        const std::string& previous_name = std::string());

/// True if `name` is a temporary file for `target`, left over by a crash.
[[nodiscard]] bool is_temporary_of(std::string_view name, std::string_view target);

/// True if `name` is a temporary file for any file.
[[nodiscard]] bool is_temporary(std::string_view name);

/// Removes all temporary files in the directory. Only for a process that holds the lock of the
/// state directory: the files then belong to processes that are gone.
void remove_temporaries(const Directory& directory);

}  // namespace keyturn
