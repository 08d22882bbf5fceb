#include "base/secret.hpp"

#include "base/invariant.hpp"

#include <cstring>
#include <string.h>
#include <utility>

namespace keyturn {

void wipe(void* memory, std::size_t size) noexcept {
    if (memory != nullptr) ::explicit_bzero(memory, size);
}

Secret::Secret(std::size_t size)
    : bytes_(std::make_unique<char[]>(size)), size_(size), capacity_(size) {}

Secret Secret::copy_of(std::string_view bytes) {
    Secret copy(bytes.size());
    if (!bytes.empty()) std::memcpy(copy.data(), bytes.data(), bytes.size());
    return copy;
}

Secret::Secret(Secret&& other) noexcept
    : bytes_(std::move(other.bytes_)),
      size_(std::exchange(other.size_, 0)),
      capacity_(std::exchange(other.capacity_, 0)) {}

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this != &other) {
        wipe_all();
        bytes_ = std::move(other.bytes_);
        size_ = std::exchange(other.size_, 0);
        capacity_ = std::exchange(other.capacity_, 0);
    }
    return *this;
}

Secret::~Secret() {
    wipe_all();
}

void Secret::truncate(std::size_t size) {
    invariant(size <= size_, "a secret can only be shortened");
    wipe(bytes_.get() + size, size_ - size);
    size_ = size;
}

void Secret::wipe_all() noexcept {
    wipe(bytes_.get(), capacity_);
}

bool same_secret(const Secret& left, const Secret& right) {
    if (left.size() != right.size()) return false;
    const std::string_view a = left.reveal();
    const std::string_view b = right.reveal();
    unsigned char difference = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
    }
    // The barrier keeps the compiler from leaving the loop early.
    asm volatile("" : "+r"(difference));
    return difference == 0;
}

}  // namespace keyturn
