#include "base/secret_memory.hpp"

#include "base/invariant.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <iterator>
#include <map>
#include <mutex>
#include <new>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define KEYTURN_WITH_ASAN
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define KEYTURN_WITH_ASAN
#endif
#endif
#ifdef KEYTURN_WITH_ASAN
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size) static_cast<void>(0)
#define ASAN_UNPOISON_MEMORY_REGION(address, size) static_cast<void>(0)
#endif

namespace keyturn {
namespace {

constexpr std::size_t block_size_min = 32;
constexpr std::size_t block_size_max = 4096;  ///< A larger block has a mapping of its own.
constexpr std::size_t chunk_size = std::size_t{16} * 1024;
constexpr std::size_t chunks_in_arena = 8;
constexpr std::size_t arena_size = chunk_size * chunks_in_arena;

using Address = std::uintptr_t;

Address address_of(const void* memory) {
    return reinterpret_cast<Address>(memory);
}

std::size_t in_whole_pages(std::size_t size) {
    static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    if (size > SIZE_MAX - page) throw std::bad_alloc();
    return (size + page - 1) / page * page;
}

/// Zeroed pages for secrets.
void* map_pages(std::size_t size) {
    void* const pages =
        ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) throw std::bad_alloc();
    // An old kernel, or a limit, may refuse any of these. The memory is still usable.
    static_cast<void>(::madvise(pages, size, MADV_DONTDUMP));
    static_cast<void>(::madvise(pages, size, MADV_WIPEONFORK));
    // Each page from its first use on: an idle program needs a few of an arena.
    static_cast<void>(::mlock2(pages, size, MLOCK_ONFAULT));
    return pages;
}

/// Equal blocks in a part of an arena. What is known about them is kept outside of their pages: it
/// holds in a child after fork(), in which the pages are zero, and an overflow cannot change it.
class Chunk {
  public:
    [[nodiscard]] std::size_t block_size() const { return block_size_; }
    [[nodiscard]] bool has_room() const { return used_ < chunk_size / block_size_; }
    [[nodiscard]] bool empty() const { return used_ == 0; }

    void dedicate_to(std::size_t block_size) { block_size_ = block_size; }

    /// Returns the offset of a block that was free.
    std::size_t take() {
        auto word = std::ranges::find_if(taken_, [](std::uint64_t bits) { return ~bits != 0; });
        const int bit = std::countr_one(*word);
        *word |= std::uint64_t{1} << static_cast<unsigned>(bit);
        ++used_;
        const auto index = static_cast<std::size_t>(word - taken_.begin()) * word_bits +
                           static_cast<std::size_t>(bit);
        return index * block_size_;
    }

    /// False if no block that is in use begins there.
    bool give_back(std::size_t offset) {
        if (block_size_ == 0 || offset % block_size_ != 0) return false;
        const std::size_t index = offset / block_size_;
        std::uint64_t& word = taken_.at(index / word_bits);
        const std::uint64_t bit = std::uint64_t{1} << (index % word_bits);
        if ((word & bit) == 0) return false;
        word &= ~bit;
        if (--used_ == 0) block_size_ = 0;
        return true;
    }

  private:
    static constexpr std::size_t word_bits = 64;
    std::size_t block_size_ = 0;  ///< 0 while it is dedicated to no size.
    std::size_t used_ = 0;
    std::array<std::uint64_t, chunk_size / block_size_min / word_bits> taken_{};
};

struct Arena {
    std::array<Chunk, chunks_in_arena> chunks;

    [[nodiscard]] bool empty() const {
        return std::ranges::all_of(chunks, [](const Chunk& chunk) { return chunk.empty(); });
    }
};

class SecretMemory {
  public:
    void* allocate(std::size_t size) {
        const std::lock_guard lock(mutex_);
        return size > block_size_max ? map(in_whole_pages(size)) : take_block(size);
    }

    void release(void* memory, std::size_t size) {
        const std::lock_guard lock(mutex_);
        if (size > block_size_max) return unmap(memory, in_whole_pages(size));
        const Address address = address_of(memory);
        auto arena = arenas_.upper_bound(address);
        const bool known =
            arena != arenas_.begin() && address - std::prev(arena)->first < arena_size;
        invariant(known, "only memory for secrets is released as such");
        --arena;
        const std::size_t offset = address - arena->first;
        Chunk& chunk = arena->second.chunks.at(offset / chunk_size);
        ASAN_POISON_MEMORY_REGION(memory, chunk.block_size());
        const bool given_back = chunk.give_back(offset % chunk_size);
        invariant(given_back, "memory for secrets is released once");
        if (chunk.empty() && arena->second.empty()) unmap_empty(1);
    }

    void trim() {
        const std::lock_guard lock(mutex_);
        unmap_empty(0);
    }

    SecretMemoryUse use() {
        const std::lock_guard lock(mutex_);
        return use_;
    }

  private:
    void* take_block(std::size_t size) {
        const std::size_t block_size = std::bit_ceil(std::max(size, block_size_min));
        const Place place = place_for(block_size);
        place.chunk->dedicate_to(block_size);
        void* const block = place.begin + place.chunk->take();
        ASAN_UNPOISON_MEMORY_REGION(block, size);
        return block;
    }

    struct Place {
        char* begin = nullptr;
        Chunk* chunk = nullptr;
    };

    /// A chunk with room for such a block: one of that size, else a free one.
    Place place_for(std::size_t block_size) {
        Place free;
        for (auto& [address, arena] : arenas_) {
            char* begin = reinterpret_cast<char*>(address);
            for (Chunk& chunk : arena.chunks) {
                if (chunk.block_size() == block_size && chunk.has_room()) return {begin, &chunk};
                if (chunk.empty() && free.chunk == nullptr) free = {begin, &chunk};
                begin += chunk_size;
            }
        }
        return free.chunk != nullptr ? free : place_in_new_arena();
    }

    Place place_in_new_arena() {
        char* const pages = static_cast<char*>(map(arena_size));
        ASAN_POISON_MEMORY_REGION(pages, arena_size);
        try {
            return {pages, &arenas_[address_of(pages)].chunks.front()};
        } catch (...) {
            unmap(pages, arena_size);
            throw;
        }
    }

    /// With one kept, the next secrets need no new mapping, and what a program has locked stays
    /// small.
    void unmap_empty(int kept) {
        for (auto arena = arenas_.begin(); arena != arenas_.end();) {
            const bool spare = arena->second.empty() && --kept < 0;
            if (spare) unmap(reinterpret_cast<void*>(arena->first), arena_size);
            arena = spare ? arenas_.erase(arena) : std::next(arena);
        }
    }

    void* map(std::size_t size) {
        void* const pages = map_pages(size);
        use_.mapped += size;
        use_.most_mapped = std::max(use_.most_mapped, use_.mapped);
        ++use_.mappings_made;
        return pages;
    }

    void unmap(void* pages, std::size_t size) {
        ASAN_UNPOISON_MEMORY_REGION(pages, size);
        ::munmap(pages, size);
        use_.mapped -= size;
    }

    std::mutex mutex_;
    std::map<Address, Arena> arenas_;
    SecretMemoryUse use_;
};

/// Never destroyed, because secrets of static objects may be released later.
SecretMemory& secret_memory() {
    static auto& memory = *new SecretMemory;
    return memory;
}

}  // namespace

void* allocate_secret_memory(std::size_t size) {
    return secret_memory().allocate(size);
}

void release_secret_memory(void* memory, std::size_t size) noexcept {
    if (memory == nullptr) return;
    wipe(memory, size);
    secret_memory().release(memory, size);
}

void trim_secret_memory() {
    secret_memory().trim();
}

SecretMemoryUse secret_memory_use() {
    return secret_memory().use();
}

void wipe(void* memory, std::size_t size) noexcept {
    if (memory != nullptr) ::explicit_bzero(memory, size);
}

}  // namespace keyturn
