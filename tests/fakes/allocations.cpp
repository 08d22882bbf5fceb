#include "fakes/allocations.hpp"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <malloc.h>
#include <new>

namespace keyturn::allocations {
namespace {

constexpr std::size_t never = std::numeric_limits<std::size_t>::max();

std::size_t made = 0;
std::size_t out_at = never;
std::size_t held = 0;
std::size_t most_held = 0;

void* allocate(std::size_t size) {
    if (++made >= out_at) throw std::bad_alloc();
    void* memory = std::malloc(size == 0 ? 1 : size);
    if (memory == nullptr) throw std::bad_alloc();
    held += ::malloc_usable_size(memory);
    most_held = std::max(most_held, held);
    return memory;
}

void release(void* memory) {
    if (memory != nullptr) held -= ::malloc_usable_size(memory);
    std::free(memory);
}

}  // namespace

std::size_t count() {
    return made;
}

void run_out_at(std::size_t n) {
    out_at = made + n;
}

Peak::Peak() : before_(held) {
    most_held = held;
}

std::size_t Peak::bytes() const {
    return most_held - before_;
}

}  // namespace keyturn::allocations

namespace allocations = keyturn::allocations;

void* operator new(std::size_t size) {
    return allocations::allocate(size);
}
void* operator new[](std::size_t size) {
    return allocations::allocate(size);
}
void operator delete(void* memory) noexcept {
    allocations::release(memory);
}
void operator delete[](void* memory) noexcept {
    allocations::release(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
    allocations::release(memory);
}
void operator delete[](void* memory, std::size_t /*size*/) noexcept {
    allocations::release(memory);
}
