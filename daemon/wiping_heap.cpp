// For each program that handles secrets: what C++ frees is wiped. A secret that passed through a
// library's own string, such as the buffer of a JSON parser, does not stay in free memory.

#include "base/secret_memory.hpp"

#include <cstdlib>
#include <malloc.h>
#include <new>

namespace {

void* allocate(std::size_t size) {
    for (;;) {
        if (void* const memory = std::malloc(size == 0 ? 1 : size)) return memory;
        const std::new_handler handler = std::get_new_handler();
        if (handler == nullptr) throw std::bad_alloc();
        handler();
    }
}

void release(void* memory) noexcept {
    if (memory != nullptr) keyturn::wipe(memory, ::malloc_usable_size(memory));
    std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) {
    return allocate(size);
}
void* operator new[](std::size_t size) {
    return allocate(size);
}
void operator delete(void* memory) noexcept {
    release(memory);
}
void operator delete[](void* memory) noexcept {
    release(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
    release(memory);
}
void operator delete[](void* memory, std::size_t /*size*/) noexcept {
    release(memory);
}
