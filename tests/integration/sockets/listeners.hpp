#pragma once

#include "base/unique_fd.hpp"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <iterator>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <string>
#include <sys/ioctl.h>
#include <unistd.h>

namespace keyturn::testing {

/// Who runs this test, before any namespace hides that.
inline const uid_t outer_user = ::geteuid();

/// A socket that listens at a port of the kernel's choice.
class Listener {
  public:
    explicit Listener(std::uint32_t address = INADDR_LOOPBACK)
        : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        sockaddr_in name{};
        name.sin_family = AF_INET;
        name.sin_addr.s_addr = htonl(address);
        EXPECT_EQ(::bind(socket_.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
        EXPECT_EQ(::listen(socket_.get(), 1), 0);
        socklen_t size = sizeof name;
        EXPECT_EQ(::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&name), &size), 0);
        port = ntohs(name.sin_port);
    }

    [[nodiscard]] std::string at(const char* target) const {
        return "127.0.0.1:" + std::to_string(port) + " " + target;
    }

    void close() const { socket_ = UniqueFd(); }

    /// Gives the socket to another user. Without root, all our sockets are another user's already,
    /// until `own_sockets_as_root`.
    void give_away() const {
        constexpr uid_t other = 1'000;
        if (::geteuid() != 0) return;
        EXPECT_EQ(::fchown(socket_.get(), other, other), 0);
    }

    /// A connection to it, which waits in its queue.
    [[nodiscard]] UniqueFd connect() const {
        UniqueFd client(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
        sockaddr_in name{};
        name.sin_family = AF_INET;
        name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        name.sin_port = htons(port);
        EXPECT_EQ(::connect(client.get(), reinterpret_cast<sockaddr*>(&name), sizeof name), 0);
        return client;
    }

    std::uint16_t port = 0;

  private:
    mutable UniqueFd socket_;
};

/// A socket that listens at an address that this network need not have.
inline UniqueFd listen_anywhere(int family, const char* address, std::uint16_t port) {
    UniqueFd socket(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const int on = 1;
    sockaddr_in v4{};
    sockaddr_in6 v6{};
    v4.sin_family = AF_INET;
    v6.sin6_family = AF_INET6;
    v4.sin_port = v6.sin6_port = htons(port);
    v6.sin6_scope_id = ::if_nametoindex("lo");
    const bool is_v4 = family == AF_INET;
    void* const place = is_v4 ? static_cast<void*>(&v4.sin_addr) : &v6.sin6_addr;
    EXPECT_EQ(::inet_pton(family, address, place), 1);
    EXPECT_EQ(::setsockopt(socket.get(), is_v4 ? IPPROTO_IP : IPPROTO_IPV6,
                           is_v4 ? IP_FREEBIND : IPV6_FREEBIND, &on, sizeof on),
              0);
    const auto* const name =
        is_v4 ? reinterpret_cast<sockaddr*>(&v4) : reinterpret_cast<sockaddr*>(&v6);
    EXPECT_EQ(::bind(socket.get(), name, is_v4 ? sizeof v4 : sizeof v6), 0) << std::strerror(errno);
    EXPECT_EQ(::listen(socket.get(), 1), 0);
    return socket;
}

/// From now on our sockets belong to root, also where this test does not run as root.
inline void own_sockets_as_root() {
    if (outer_user == 0 || ::geteuid() == 0) return;
    const UniqueFd map(::open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC));
    const std::string line = "0 " + std::to_string(outer_user) + " 1";
    EXPECT_EQ(::write(map.get(), line.data(), line.size()), std::ssize(line));
}

/// Other processes of this machine may be in the same control group as this test and listen, too. A
/// network namespace of our own has no sockets but ours.
class OwnNetwork final : public ::testing::Environment {
  public:
    void SetUp() override {
        const int flags = ::geteuid() == 0 ? CLONE_NEWNET : CLONE_NEWNET | CLONE_NEWUSER;
        ASSERT_EQ(::unshare(flags), 0) << "this test needs namespaces: " << std::strerror(errno);
        const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
        ifreq loopback{};
        std::strcpy(loopback.ifr_name, "lo");
        loopback.ifr_flags = IFF_UP;
        ASSERT_EQ(::ioctl(socket.get(), SIOCSIFFLAGS, &loopback), 0) << std::strerror(errno);
    }
};

inline const auto* const own_network = ::testing::AddGlobalTestEnvironment(new OwnNetwork);

}  // namespace keyturn::testing
