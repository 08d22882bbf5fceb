#include "sockets/socket_listing.hpp"

#include <gmock/gmock.h>

#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <random>

namespace keyturn {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Bytes = std::vector<std::byte>;

template <class T>
void append(Bytes& bytes, const T& value) {
    const auto* const begin = reinterpret_cast<const std::byte*>(&value);
    bytes.insert(bytes.end(), begin, begin + sizeof value);
    bytes.resize((bytes.size() + 3) / 4 * 4);
}

Bytes socket_payload(int family, const char* address, std::uint16_t port) {
    inet_diag_msg message{};
    message.idiag_family = static_cast<std::uint8_t>(family);
    message.idiag_uid = 1'000;
    message.id.idiag_sport = htons(port);
    ::inet_pton(family, address, message.id.idiag_src);
    Bytes payload;
    append(payload, message);
    return payload;
}

void append_attribute(Bytes& payload, std::uint16_t type, std::uint64_t value) {
    rtattr header{};
    header.rta_len = sizeof header + sizeof value;
    header.rta_type = type;
    append(payload, header);
    append(payload, value);
}

void append_message(Bytes& datagram, std::uint16_t type, const Bytes& payload) {
    nlmsghdr header{};
    header.nlmsg_len = static_cast<std::uint32_t>(sizeof header + payload.size());
    header.nlmsg_type = type;
    append(datagram, header);
    datagram.insert(datagram.end(), payload.begin(), payload.end());
}

/// Two sockets and the end.
Bytes whole_listing() {
    Bytes datagram;
    Bytes v4 = socket_payload(AF_INET, "127.0.0.1", 20241);
    append_attribute(v4, INET_DIAG_MARK, 1);
    append_attribute(v4, INET_DIAG_CGROUP_ID, 17'638);
    append_message(datagram, SOCK_DIAG_BY_FAMILY, v4);
    append_message(datagram, SOCK_DIAG_BY_FAMILY, socket_payload(AF_INET6, "::1", 22));
    append_message(datagram, NLMSG_DONE, {});
    return datagram;
}

TEST(SocketListing, ReadsSocketsAndTheirControlGroups) {
    std::vector<TcpSocket> sockets;
    EXPECT_EQ(read_socket_listing(whole_listing(), sockets), ListingStep::done);
    EXPECT_THAT(sockets, ElementsAre(TcpSocket{"127.0.0.1", 20241, 17'638, 1'000},
                                     TcpSocket{"::1", 22, std::nullopt, 1'000}));
}

TEST(SocketListing, GoesOnWithTheNextDatagram) {
    std::vector<TcpSocket> sockets;
    Bytes datagram;
    append_message(datagram, SOCK_DIAG_BY_FAMILY, socket_payload(AF_INET, "0.0.0.0", 80));
    EXPECT_EQ(read_socket_listing(datagram, sockets), ListingStep::more);
    EXPECT_EQ(read_socket_listing(datagram, sockets), ListingStep::more);
    EXPECT_EQ(sockets.size(), 2U);
    EXPECT_EQ(read_socket_listing({}, sockets), ListingStep::more);
}

ListingStep step_of_error(int error_number) {
    Bytes datagram;
    nlmsgerr error{};
    error.error = error_number;
    Bytes payload;
    append(payload, error);
    append_message(datagram, NLMSG_ERROR, payload);
    std::vector<TcpSocket> sockets;
    return read_socket_listing(datagram, sockets);
}

TEST(SocketListing, ErrorOfTheKernelEndsIt) {
    EXPECT_EQ(step_of_error(-ENOENT), ListingStep::absent);
    EXPECT_EQ(step_of_error(-EINVAL), ListingStep::refused);
    Bytes datagram;
    append_message(datagram, NLMSG_ERROR, Bytes(4));
    std::vector<TcpSocket> sockets;
    EXPECT_EQ(read_socket_listing(datagram, sockets), ListingStep::failed);
}

TEST(SocketListing, MessagesOfOtherKindsArePassedOver) {
    std::vector<TcpSocket> sockets;
    Bytes datagram;
    append_message(datagram, NLMSG_NOOP, Bytes(5));
    datagram.resize((datagram.size() + 3) / 4 * 4);
    append_message(datagram, NLMSG_DONE, {});
    EXPECT_EQ(read_socket_listing(datagram, sockets), ListingStep::done);
    EXPECT_THAT(sockets, IsEmpty());
}

TEST(SocketListing, UnknownFamilyFails) {
    std::vector<TcpSocket> sockets;
    Bytes datagram;
    append_message(datagram, SOCK_DIAG_BY_FAMILY, socket_payload(AF_UNIX, "", 0));
    EXPECT_EQ(read_socket_listing(datagram, sockets), ListingStep::failed);
}

TEST(SocketListing, AttributeThatLiesAboutItsLengthIsIgnored) {
    for (const int length : {0, 1, 3, 5, 11, 13, 65'535}) {
        Bytes payload = socket_payload(AF_INET, "127.0.0.1", 1);
        rtattr header{};
        header.rta_len = static_cast<std::uint16_t>(length);
        header.rta_type = INET_DIAG_CGROUP_ID;
        append(payload, header);
        append(payload, std::uint64_t{7});
        Bytes datagram;
        append_message(datagram, SOCK_DIAG_BY_FAMILY, payload);
        std::vector<TcpSocket> sockets;
        EXPECT_EQ(read_socket_listing(datagram, sockets), ListingStep::more);
        ASSERT_EQ(sockets.size(), 1U);
        EXPECT_EQ(sockets[0].control_group, std::nullopt) << length;
    }
}

/// Every cut of a good listing. What is cut inside of a message fails; the buffer is of exactly
/// that size, so that a read past its end is seen by the sanitizer.
TEST(SocketListing, EveryTruncationIsNoticed) {
    const Bytes whole = whole_listing();
    int failures = 0;
    for (std::size_t size = 1; size < whole.size(); ++size) {
        const Bytes cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
        std::vector<TcpSocket> sockets;
        const ListingStep step = read_socket_listing(cut, sockets);
        EXPECT_NE(step, ListingStep::done) << size;
        if (step == ListingStep::failed) ++failures;
    }
    // Two cuts fall between messages.
    EXPECT_EQ(failures, static_cast<int>(whole.size()) - 1 - 2);
}

TEST(SocketListing, AnyBytesAreRead) {
    std::mt19937 random(20'261);
    const Bytes whole = whole_listing();
    int done = 0;
    for (int round = 0; round < 20'000; ++round) {
        Bytes bytes = whole;
        for (int change = 0; change < 3; ++change)
            bytes[random() % bytes.size()] = static_cast<std::byte>(random() % 256);
        std::vector<TcpSocket> sockets;
        if (read_socket_listing(bytes, sockets) == ListingStep::done) ++done;
        EXPECT_LE(sockets.size(), 2U);
    }
    EXPECT_GT(done, 0);
}

}  // namespace
}  // namespace keyturn
