#pragma once

#include <string>
#include <sys/types.h>

namespace keyturn {

/// A few file descriptors, kept in reserve so that state and token files can be read and written
/// even if no others are left. There is one reserve, because a process has one table of
/// descriptors. It is filled when the first use ends. `open_file` gives it up when the kernel has
/// no descriptor left, and it is filled again at the moment when the last use ends.
class DescriptorReserve {
  public:
    /// Files are in use while one of these exists. It must not outlive the turn of the event loop.
    class Use {
      public:
        Use();
        Use(const Use&) : Use() {}
        Use(Use&&) noexcept : Use() {}
        Use& operator=(const Use&) = default;
        Use& operator=(Use&&) = default;
        ~Use();
    };

    /// More than one operation has open at a time: two directories, a copy of one, and two files.
    static constexpr int size = 6;
};

/// Like openat(2). Call it only while a `DescriptorReserve::Use` exists.
[[nodiscard]] int open_file(int directory, const std::string& name, int flags, mode_t mode = 0);

}  // namespace keyturn
