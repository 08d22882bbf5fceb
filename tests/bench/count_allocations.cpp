// A library for LD_PRELOAD that counts the allocations of a program, in the file that
// COUNT_ALLOCATIONS names: one number of 64 bits. Everything else is as the C library does it.
#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

// NOLINTBEGIN: the names of the C library below malloc().
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* memory, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);
}
// NOLINTEND

namespace {

std::atomic<std::uint64_t> before_the_file{0};
std::atomic<std::uint64_t>* count = &before_the_file;

[[gnu::constructor]] void open_file() {
    const char* const path = std::getenv("COUNT_ALLOCATIONS");
    if (path == nullptr) return;
    const int file = ::open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (file < 0 || ::ftruncate(file, sizeof(std::uint64_t)) != 0) return;
    void* const mapped =
        ::mmap(nullptr, sizeof(std::uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    ::close(file);
    if (mapped != MAP_FAILED) count = static_cast<std::atomic<std::uint64_t>*>(mapped);
}

}  // namespace

extern "C" {

void* malloc(std::size_t size) {
    ++*count;
    return __libc_malloc(size);
}

void* calloc(std::size_t number, std::size_t size) {
    ++*count;
    return __libc_calloc(number, size);
}

void* realloc(void* memory, std::size_t size) {
    ++*count;
    return __libc_realloc(memory, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size) {
    ++*count;
    return __libc_memalign(alignment, size);
}

int posix_memalign(void** memory, std::size_t alignment, std::size_t size) {
    ++*count;
    *memory = __libc_memalign(alignment, size);
    return *memory == nullptr ? ENOMEM : 0;
}
}
