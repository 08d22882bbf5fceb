#pragma once

#include <cstddef>

namespace keyturn {

/// Gives memory for secrets, aligned for every type. Throws std::bad_alloc.
///
/// Its pages belong to secrets alone. They are locked, left out of core dumps, and zero in a child
/// after fork(). Small blocks share locked pages; each larger one has pages of its own, and gives
/// them back to the kernel when it is released. Threads may use it at the same time.
///
/// Locking is an attempt, within RLIMIT_MEMLOCK. If it fails, the memory works, stays out of core
/// dumps and is wiped, but the kernel may write it to swap: keyturnd.service has no swap for that
/// case (MemorySwapMax=0).
[[nodiscard]] void* allocate_secret_memory(std::size_t size);

/// Wipes the block and frees it. `size` is that of its allocation.
void release_secret_memory(void* memory, std::size_t size) noexcept;

/// Gives the pages that are kept for the next secrets back to the kernel. For a moment at which
/// none are expected soon.
void trim_secret_memory();

/// What secrets take, in bytes of whole mappings, since the start of the program.
struct SecretMemoryUse {
    std::size_t mapped = 0;
    std::size_t most_mapped = 0;
    std::size_t mappings_made = 0;
};
[[nodiscard]] SecretMemoryUse secret_memory_use();

/// Overwrites memory in a way that the compiler may not optimise away.
void wipe(void* memory, std::size_t size) noexcept;

}  // namespace keyturn
