#pragma once

#include <string>
#include <sys/types.h>

namespace keyturn {

/// A few file descriptors that are held for the files of state and tokens, so that these can be
/// read and written when none is left: a process has one table of them, so there is one reserve. It
/// is filled when the first use ends, opened to `open_file` when the kernel has no descriptor left,
/// and filled again, in the same breath, when the last use ends.
class DescriptorReserve {
  public:
    /// While one exists, files are being worked on. It must not outlive the turn of the event loop.
    class Use {
      public:
        Use();
        Use(const Use&) : Use() {}
        Use(Use&&) noexcept : Use() {}
        Use& operator=(const Use&) = default;
        Use& operator=(Use&&) = default;
        ~Use();
    };

    /// More than one operation has open at a time: two directories, a copy of one, two files.
    static constexpr int size = 6;
};

/// As openat(2), in a `DescriptorReserve::Use`.
[[nodiscard]] int open_file(int directory, const std::string& name, int flags, mode_t mode = 0);

}  // namespace keyturn
