// The heap of keyturnd and keyturn-setup, which is linked into this program
// (daemon/wiping_heap.cpp).

#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <string_view>
#include <unistd.h>

namespace keyturn {
namespace {

// malloc writes over the first bytes of a freed block.
constexpr std::size_t head = 16;
constexpr std::size_t size = 200;

/// The compiler may not leave out what was written before this.
void use(void* block) {
    asm volatile("" : : "r"(block) : "memory");
}

/// What is at an address now, although the block there is freed.
std::string memory_at(std::uintptr_t address) {
    std::string bytes(size, ' ');
    const int memory = ::open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    const ssize_t count = ::pread(memory, bytes.data(), bytes.size(), static_cast<off_t>(address));
    ::close(memory);
    EXPECT_EQ(count, static_cast<ssize_t>(bytes.size()));
    return bytes;
}

TEST(WipingHeap, LeavesNothingInWhatIsFreed) {
    auto* text = new std::string(size, 's');
    use(text->data());
    const auto address = reinterpret_cast<std::uintptr_t>(text->data());
    delete text;
    EXPECT_EQ(memory_at(address).find(std::string(size / 4, 's')), std::string::npos);
}

TEST(WipingHeap, IsNotThatOfMalloc) {
    void* const block = std::malloc(size);
    const auto address = reinterpret_cast<std::uintptr_t>(block);
    std::memset(block, 's', size);
    use(block);
    std::free(block);
    const std::string left = memory_at(address).substr(head);
    EXPECT_NE(left.find(std::string(size / 4, 's')), std::string::npos) << "the search finds it";
}

}  // namespace
}  // namespace keyturn
