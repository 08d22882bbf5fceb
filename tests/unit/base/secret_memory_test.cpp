#include "base/secret_memory.hpp"

#include "base/secret.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <fstream>
#include <new>
#include <sstream>
#include <string>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace keyturn {
namespace {

using testing::HasSubstr;

constexpr std::size_t small = 40;
constexpr std::size_t large = std::size_t{100} * 1024;
constexpr std::size_t idle_max = std::size_t{256} * 1024;

/// The line of /proc/self/smaps with this key, for the mapping with that address; "" for none.
std::string of_mapping(const void* memory, const std::string& key) {
    std::ifstream smaps("/proc/self/smaps");
    const auto wanted = reinterpret_cast<std::uintptr_t>(memory);
    bool there = false;
    for (std::string line; std::getline(smaps, line);) {
        std::istringstream words(line);
        std::uintptr_t begin = 0;
        std::uintptr_t end = 0;
        char dash = 0;
        if (words >> std::hex >> begin >> dash >> end && dash == '-')
            there = begin <= wanted && wanted < end;
        if (there && line.starts_with(key)) return line;
    }
    return {};
}

/// As far as this kernel and the limits of this process allow it. AddressSanitizer replaces
/// mlock(), which then does nothing, but not this call.
bool mlock_works() {
    const std::string text(large, 'x');
    EXPECT_EQ(::mlock2(text.data(), text.size(), MLOCK_ONFAULT), 0);
    const std::string flags = of_mapping(text.data() + large / 2, "VmFlags:") + " ";
    ::munlock(text.data(), text.size());
    return flags.find(" lo ") != std::string::npos;
}

TEST(SecretMemory, IsLockedAndNeitherDumpedNorInherited) {
    for (const std::size_t size : {small, large}) {
        const Secret secret(size);
        const std::string flags = of_mapping(secret.reveal().data(), "VmFlags:") + " ";
        EXPECT_EQ(flags.find(" lo ") != std::string::npos, mlock_works()) << "locked";
        EXPECT_THAT(flags, HasSubstr(" dd ")) << "not in core dumps";
        EXPECT_THAT(flags, HasSubstr(" wf ")) << "zero after fork()";
    }
    const std::string elsewhere = "a string of the ordinary heap, too long to be in the object";
    EXPECT_THAT(of_mapping(elsewhere.data(), "VmFlags:") + " ", Not(HasSubstr(" dd ")));
}

/// Runs in a child; returns its exit code.
template <class Work>
int in_child(Work work) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(work());
    int status = 0;
    EXPECT_EQ(::waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(SecretMemory, IsZeroInAChildThatCanStillUseIt) {
    const Secret secret = Secret::copy_of("open sesame");
    const std::string other = "open sesame";
    EXPECT_EQ(in_child([&] {
                  const bool zero =
                      std::ranges::all_of(secret.reveal(), [](char c) { return c == 0; });
                  const Secret own = Secret::copy_of(other);
                  return zero && own.reveal() == other ? 0 : 1;
              }),
              0);
    EXPECT_EQ(secret.reveal(), "open sesame");
}

TEST(SecretMemory, WorksWhereNothingMayBeLocked) {
    EXPECT_EQ(in_child([] {
                  const rlimit none{0, 0};
                  if (::setrlimit(RLIMIT_MEMLOCK, &none) != 0 || ::setuid(65534) != 0) return 2;
                  Secret secret(large);
                  std::memset(secret.data(), 'x', large);
                  const bool whole = std::ranges::count(secret.reveal(), 'x') == large;
                  const std::string flags = of_mapping(secret.data(), "VmFlags:") + " ";
                  const bool locked = flags.find(" lo ") != std::string::npos;
                  const bool dumped = flags.find(" dd ") == std::string::npos;
                  return whole && !locked && !dumped ? 0 : 1;
              }),
              0);
}

TEST(SecretMemory, IsWipedWhenItIsFreed) {
    const char* freed = nullptr;
    {
        const Secret secret = Secret::copy_of("open sesame");
        freed = secret.reveal().data();
    }
    const Secret next(std::size_t{11});
    ASSERT_EQ(static_cast<const void*>(next.reveal().data()), static_cast<const void*>(freed));
    EXPECT_EQ(next.reveal(), std::string_view("\0\0\0\0\0\0\0\0\0\0\0", 11));
}

TEST(SecretMemory, GoesBackToTheKernel) {
    const std::size_t before = secret_memory_use().mapped;
    {
        const Secret one(large);
        EXPECT_GE(secret_memory_use().mapped, before + large);
    }
    EXPECT_LE(secret_memory_use().mapped, std::max(before, idle_max));
    {
        std::vector<Secret> many;
        for (int i = 0; i < 20'000; ++i) many.emplace_back(small);
        EXPECT_GT(secret_memory_use().mapped, 20'000 * small);
    }
    EXPECT_LE(secret_memory_use().mapped, idle_max);
}

TEST(SecretMemory, KeepsNothingForTheNextSecretsIfAskedNotTo) {
    { const Secret one(small); }
    trim_secret_memory();
    EXPECT_EQ(secret_memory_use().mapped, 0U);
    const Secret kept = Secret::copy_of("open sesame");
    trim_secret_memory();
    EXPECT_GT(secret_memory_use().mapped, 0U);
    EXPECT_EQ(kept.reveal(), "open sesame");
}

TEST(SecretMemory, NeedsNoMappingForEachSmallSecret) {
    const Secret first(small);
    const std::size_t before = secret_memory_use().mappings_made;
    for (std::size_t size = 1; size <= 2000; ++size) {
        Secret secret(size);
        secret.append("more");
        static_cast<void>(secret.clone());
    }
    EXPECT_LE(secret_memory_use().mappings_made - before, 1U);
}

TEST(SecretMemory, ThrowsWhenThereIsNone) {
    constexpr std::size_t more_than_any_host_has = std::size_t{1} << 50;
    const std::size_t before = secret_memory_use().mapped;
    EXPECT_THROW(Secret{more_than_any_host_has}, std::bad_alloc);
    EXPECT_EQ(secret_memory_use().mapped, before);
    EXPECT_EQ(Secret(small).size(), small);
}

TEST(SecretMemory, KeepsBlocksApart) {
    std::vector<Secret> secrets;
    for (std::size_t i = 0; i < 2000; ++i) {
        secrets.emplace_back(1 + i * 7 % 6000);
        std::memset(secrets.back().data(), static_cast<int>(i % 128), secrets.back().size());
        if (i % 3 == 2) secrets.erase(secrets.begin() + static_cast<std::ptrdiff_t>(i / 3));
    }
    for (const Secret& secret : secrets) {
        const auto bytes = secret.reveal();
        EXPECT_EQ(std::ranges::count(bytes, bytes.front()),
                  static_cast<std::ptrdiff_t>(bytes.size()));
    }
}

TEST(SecretMemory, MayBeUsedByThreads) {
    const auto work = [](char mark) {
        for (std::size_t i = 0; i < 3000; ++i) {
            Secret secret(1 + i % 5000);
            std::memset(secret.data(), mark, secret.size());
            const Secret copy = secret.clone();
            ASSERT_EQ(std::ranges::count(copy.reveal(), mark),
                      static_cast<std::ptrdiff_t>(copy.size()));
        }
    };
    std::vector<std::thread> threads;
    for (const char mark : {'a', 'b', 'c', 'd'}) threads.emplace_back(work, mark);
    for (std::thread& thread : threads) thread.join();
}

TEST(SecretMemoryDeathTest, RefusesWhatItDidNotGive) {
    char other = 0;
    EXPECT_DEATH(release_secret_memory(&other, 1), "only memory for secrets");
    void* const block = allocate_secret_memory(small);
    release_secret_memory(block, small);
    EXPECT_DEATH(release_secret_memory(block, small), "released once");
}

}  // namespace
}  // namespace keyturn
