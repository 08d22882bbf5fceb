#pragma once

#include "base/result.hpp"
#include "base/unique_fd.hpp"
#include "files/directory.hpp"

#include <string>
#include <string_view>

namespace keyturn {

/// A new content of a file, which takes the file's place whole or not at all:
///  1. `create`: a temporary file in the same directory, made exclusively, 0600 and with the
///     directory's owner before it holds a byte;
///  2. `write`, as often as needed;
///  3. `commit`: fsync, rename, fsync of the directory. The sync before the rename is what keeps a
///     power cut from leaving the new name with the new size and no data; the sync after it is what
///     makes a success lasting. Between the two, either content may be there after a power cut.
/// Until `commit` has renamed it, the destructor removes it; the directory has to outlive it. After
/// a failed fsync the kernel holds the pages for clean, and a second fsync would report a success
/// that is none: so nothing is ever retried here, and the caller starts anew with another file.
class AtomicFile {
  public:
    /// `name` is the file that this is about; the temporary one is called
    /// ".NAME.keyturn-XXXXXXXX.tmp".
    [[nodiscard]] static Result<AtomicFile> create(const Directory& directory,
                                                   const std::string& name);

    AtomicFile(AtomicFile&&) noexcept = default;
    AtomicFile& operator=(AtomicFile&&) = delete;
    AtomicFile(const AtomicFile&) = delete;
    ~AtomicFile();

    [[nodiscard]] Result<void> write(std::string_view bytes);

    /// Takes the place of `final_name`. After an error behind the rename the new content may be
    /// there already, but not for good: the caller has to repeat all of it, not to go on.
    /// With a `previous_name` what was there before is kept under that name; a crash between the
    /// two renames leaves nothing under the final name and the old content under the other.
    [[nodiscard]] Result<void> commit(const std::string& final_name,
                                      const std::string& previous_name = std::string());

    /// Only the first half of `commit`, for a probe: the data is on the disk, then everything goes.
    [[nodiscard]] Result<void> sync_and_discard();

  private:
    AtomicFile(const Directory& directory, std::string temporary_name, UniqueFd fd);
    [[nodiscard]] Result<void> sync();
    [[nodiscard]] Result<void> rename(const std::string& from, const std::string& to) const;

    const Directory* directory_;
    std::string temporary_name_;
    UniqueFd fd_;
};

/// Create, write, commit.
[[nodiscard]] Result<void> replace_file(const Directory& directory, const std::string& name,
                                        std::string_view bytes);

/// Whether `name` is what `AtomicFile` calls a temporary file of `target`, left over by a crash.
[[nodiscard]] bool is_temporary_of(std::string_view name, std::string_view target);

/// Whether it is one of any file.
[[nodiscard]] bool is_temporary(std::string_view name);

}  // namespace keyturn
