#include "notify/notifier.hpp"

#include "base/unique_fd.hpp"
#include "fakes/sandbox.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace keyturn {
namespace {

/// A service manager's end of NOTIFY_SOCKET, with a name in the abstract namespace.
class NotifierTest : public testing::Test {
  protected:
    void SetUp() override {
        const std::string name = "keyturn-notifier-test-" + std::to_string(::getpid());
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::memcpy(address.sun_path + 1, name.data(), name.size());
        const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
        socket_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        // bind() takes every kind of address by this type.
        ASSERT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), size), 0);
        ::setenv("NOTIFY_SOCKET", ("@" + name).c_str(), 1);
        ::unsetenv("WATCHDOG_USEC");
        ::unsetenv("WATCHDOG_PID");
    }
    void TearDown() override { ::unsetenv("NOTIFY_SOCKET"); }

    std::string received() {
        std::array<char, 4096> buffer{};
        const ssize_t size = ::recv(socket_.get(), buffer.data(), buffer.size(), 0);
        return size < 0 ? "(nothing)" : std::string(buffer.data(), static_cast<std::size_t>(size));
    }

    UniqueFd socket_;
    std::unique_ptr<Notifier> notifier_ = make_notifier();
};

TEST_F(NotifierTest, TellsEachStateInItsOwnMessage) {
    notifier_->ready("2 tunnels");
    EXPECT_EQ(received(), "READY=1\nSTATUS=2 tunnels");
    notifier_->status("web: batch 1/2");
    EXPECT_EQ(received(), "STATUS=web: batch 1/2");
    notifier_->watchdog();
    EXPECT_EQ(received(), "WATCHDOG=1");
    notifier_->stopping();
    EXPECT_EQ(received(), "STOPPING=1\nSTATUS=Stopping");
    EXPECT_EQ(received(), "(nothing)");
}

TEST_F(NotifierTest, TellsTheTimeOfAReload) {
    notifier_->reloading();
    const std::string message = received();
    const std::string expected = "RELOADING=1\nMONOTONIC_USEC=";
    ASSERT_TRUE(message.starts_with(expected)) << message;
    EXPECT_GT(std::stoull(message.substr(expected.size())), 0U);
}

TEST_F(NotifierTest, AStatusCannotBecomeAnotherAssignment) {
    notifier_->status("one\nSTOPPING=1\ttwo");
    EXPECT_EQ(received(), "STATUS=one STOPPING=1 two");
}

TEST_F(NotifierTest, IsSilentWithoutAServiceManager) {
    ::unsetenv("NOTIFY_SOCKET");
    notifier_->ready("nobody hears this");
    EXPECT_EQ(received(), "(nothing)");
    for (const char* name : {"/nowhere/at/all", "", "@", "vsock:2:1", "relative"}) {
        ::setenv("NOTIFY_SOCKET", name, 1);
        notifier_->stopping();
        EXPECT_EQ(received(), "(nothing)") << name;
    }
}

TEST_F(NotifierTest, NeedsNoDescriptorOfItsOwn) {
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
    const rlimit none{0, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
    notifier_->watchdog();
    notifier_->ready("2 tunnels");
    notifier_->status("web: soak");
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
    EXPECT_EQ(received(), "WATCHDOG=1");
    EXPECT_EQ(received(), "READY=1\nSTATUS=2 tunnels");
    EXPECT_EQ(received(), "STATUS=web: soak");
}

TEST_F(NotifierTest, TellsASocketWithAPath) {
    const testing_files::Sandbox directory;
    const std::string path = directory / "notify";
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    ASSERT_LT(path.size(), sizeof address.sun_path);
    std::memcpy(address.sun_path, path.data(), path.size());
    socket_ = UniqueFd(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    ASSERT_EQ(::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
              0);
    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    notifier_->watchdog();
    EXPECT_EQ(received(), "WATCHDOG=1");
}

TEST_F(NotifierTest, AsksForHalfOfTheWatchdogsTime) {
    EXPECT_EQ(notifier_->watchdog_interval(), std::nullopt);
    ::setenv("WATCHDOG_USEC", "30000000", 1);
    EXPECT_EQ(notifier_->watchdog_interval(), Milliseconds(15'000));
    ::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1);
    EXPECT_EQ(notifier_->watchdog_interval(), Milliseconds(15'000));
    ::setenv("WATCHDOG_USEC", "1000", 1);
    EXPECT_EQ(notifier_->watchdog_interval(), Milliseconds(1));
}

TEST_F(NotifierTest, LeavesTheWatchdogOfAnotherProcessAlone) {
    ::setenv("WATCHDOG_USEC", "30000000", 1);
    ::setenv("WATCHDOG_PID", std::to_string(::getppid()).c_str(), 1);
    EXPECT_EQ(notifier_->watchdog_interval(), std::nullopt);
    ::unsetenv("WATCHDOG_PID");
    ::setenv("WATCHDOG_USEC", "soon", 1);
    EXPECT_EQ(notifier_->watchdog_interval(), std::nullopt);
}

}  // namespace
}  // namespace keyturn
