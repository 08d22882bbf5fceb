#pragma once

#include "base/secret_memory.hpp"

#include <cstddef>
#include <new>
#include <string_view>
#include <vector>

namespace keyturn {

/// An allocator for library types through which secrets pass. Every block is memory for secrets
/// (secret_memory.hpp), and is wiped before it is freed.
template <class T>
struct WipingAllocator {
    using value_type = T;

    WipingAllocator() = default;
    template <class U>
    // NOLINTNEXTLINE(google-explicit-constructor): allocators convert between value types.
    WipingAllocator(const WipingAllocator<U>&) noexcept {}

    T* allocate(std::size_t count) {
        static_assert(alignof(T) <= alignof(std::max_align_t));
        if (count > static_cast<std::size_t>(-1) / sizeof(T)) throw std::bad_array_new_length();
        return static_cast<T*>(allocate_secret_memory(count * sizeof(T)));
    }
    void deallocate(T* memory, std::size_t count) noexcept {
        release_secret_memory(memory, count * sizeof(T));
    }
    friend bool operator==(const WipingAllocator&, const WipingAllocator&) { return true; }
};

/// Bytes that nobody must see: an API token, a tunnel token, a tunnel secret, or a body that may
/// contain one. Move-only. Its memory is locked and in no core dump (secret_memory.hpp says what
/// holds if it cannot be locked), and is wiped when it is destroyed or grows into a larger block.
/// After fork(), it is zero in the child. It has no stream operator and does not convert to a
/// string. Every place that looks at the bytes calls `reveal()`, so a search for that word finds
/// them all.
class Secret {
  public:
    Secret() = default;

    /// Makes a secret of `size` zero bytes, to be filled through `data()`.
    explicit Secret(std::size_t size) : bytes_(size) {}

    /// Copies `bytes`. The caller must wipe its own copy.
    [[nodiscard]] static Secret copy_of(std::string_view bytes);

    Secret(Secret&&) noexcept = default;
    Secret& operator=(Secret&&) noexcept = default;
    Secret(const Secret&) = delete;
    Secret& operator=(const Secret&) = delete;
    ~Secret() = default;

    [[nodiscard]] Secret clone() const { return copy_of(reveal()); }
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }
    [[nodiscard]] bool empty() const { return bytes_.empty(); }
    [[nodiscard]] char* data() { return bytes_.data(); }
    [[nodiscard]] std::string_view reveal() const { return {bytes_.data(), bytes_.size()}; }

    void append(std::string_view more) { bytes_.insert(bytes_.end(), more.begin(), more.end()); }

    /// Shortens without reallocation and wipes the rest. `size` must not exceed `this->size()`.
    void truncate(std::size_t size);

  private:
    // A vector has no buffer inside the object, so every byte goes through the allocator.
    std::vector<char, WipingAllocator<char>> bytes_;
};

/// Compares in a time that depends only on the sizes.
[[nodiscard]] bool same_secret(const Secret& left, const Secret& right);

}  // namespace keyturn
