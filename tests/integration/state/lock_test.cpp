#include "fakes/sandbox.hpp"
#include "state/state_store.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <string>

namespace {

int lock_error = 0;

}  // namespace

// The linker redirects the library's call to this function.
extern "C" int __real_flock(int fd, int operation);
extern "C" int __wrap_flock(int fd, int operation) {
    if (lock_error == 0) return __real_flock(fd, operation);
    errno = lock_error;
    return -1;
}

namespace keyturn {
namespace {

using namespace testing_files;

TEST(Lock, KeepsASecondProcessOut) {
    const Sandbox sandbox;
    const Result<std::unique_ptr<StateStore>> first = make_state_store(sandbox.path());
    ASSERT_TRUE(first);
    const int status = in_child([&] {
        const Result<std::unique_ptr<StateStore>> second = make_state_store(sandbox.path());
        const std::string expected = "another keyturnd uses " + sandbox.path() + " (process " +
                                     std::to_string(::getppid()) + ")";
        const bool refused = !second && second.error().fault == Fault::conflict;
        ::_exit(refused && second.error().text == expected ? 0 : 1);
    });
    EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Lock, SaysWhyItCannotBeTaken) {
    const Sandbox sandbox;
    lock_error = ENOLCK;
    const Result<std::unique_ptr<StateStore>> unlocked = make_state_store(sandbox.path());
    lock_error = 0;
    ASSERT_FALSE(unlocked);
    EXPECT_NE(unlocked.error().text.find("cannot lock " + sandbox.path()), std::string::npos);
    std::filesystem::remove(sandbox / "lock");
    std::filesystem::create_directory(sandbox / "lock");
    const Result<std::unique_ptr<StateStore>> closed = make_state_store(sandbox.path());
    ASSERT_FALSE(closed);
    EXPECT_NE(closed.error().text.find("cannot open " + sandbox.path()), std::string::npos);
}

TEST(Lock, EndsWithTheStore) {
    const Sandbox sandbox;
    ASSERT_TRUE(make_state_store(sandbox.path()));
    EXPECT_TRUE(make_state_store(sandbox.path()));
}

TEST(Lock, EndsWithAProcessThatIsKilled) {
    const Sandbox sandbox;
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const Result<std::unique_ptr<StateStore>> store = make_state_store(sandbox.path());
        static_cast<void>(::write(ends[1], store ? "y" : "n", 1) == 1);
        for (;;) ::pause();
    }
    char answer = 0;
    ASSERT_EQ(::read(ends[0], &answer, 1), 1);
    EXPECT_EQ(answer, 'y');
    EXPECT_EQ(make_state_store(sandbox.path()).error().fault, Fault::conflict);
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    EXPECT_TRUE(make_state_store(sandbox.path()));
    ::close(ends[0]);
    ::close(ends[1]);
}

}  // namespace
}  // namespace keyturn
