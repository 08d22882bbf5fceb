#pragma once

#include <functional>
#include <string>
#include <vector>

namespace keyturn::testing_files {

/// What happens to the file operations of this process. They are counted from 1 since `arm`.
struct FaultPlan {
    int at = 0;                ///< The operation that fails; 0: none.
    bool for_ever = false;     ///< And every one after it.
    int error = 0;             ///< errno of the failure.
    bool short_write = false;  ///< Instead of an error a write writes half; others succeed.
    bool crash = false;        ///< Instead of an error the process ends before the operation.
    std::string full_while;    ///< Creating and writing gives ENOSPC while this path exists.
};

void arm(FaultPlan plan);

/// Who watches what a power cut would leave, from `watch` to `disarm`.
struct Watcher {
    std::function<void()> before_operation;    ///< Before each operation that is counted.
    std::function<void(int fd)> after_a_sync;  ///< Of a file or a directory.
};

void watch(Watcher watcher);

/// Everything works again. Returns how many operations there were since `arm`.
int disarm();

/// The operations since `arm`, in words: "create", "write", "sync file", "rename", "sync
/// directory".
[[nodiscard]] std::vector<std::string> trace();

/// What `crash` ends the process with.
inline constexpr int crash_status = 86;

}  // namespace keyturn::testing_files
