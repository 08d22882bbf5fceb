#include "sockets/socket_request.hpp"

#include <gmock/gmock.h>

#include <array>
#include <cstring>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>

namespace keyturn {
namespace {

constexpr std::size_t head_size = sizeof(nlmsghdr) + sizeof(inet_diag_req_v2);

template <class T>
T read_at(const std::vector<std::byte>& bytes, std::size_t offset) {
    T value{};
    if (offset + sizeof value <= bytes.size())
        std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

/// Runs the filter as the kernel does (inet_diag_bc_run): listed where it ends exactly at its end.
bool lists(const std::vector<std::byte>& request, std::uint64_t group) {
    std::size_t offset = head_size + sizeof(rtattr);
    while (offset < request.size()) {
        const auto operation = read_at<inet_diag_bc_op>(request, offset);
        bool yes = false;
        if (operation.code == INET_DIAG_BC_CGROUP_COND)
            yes = read_at<std::uint64_t>(request, offset + sizeof operation) == group;
        offset += yes ? operation.yes : operation.no;
    }
    return offset == request.size();
}

TEST(SocketRequest, FilterListsEachOfItsGroupsAndNoOther) {
    std::vector<std::uint64_t> groups;
    for (std::uint64_t group = 1; group <= control_groups_max; ++group) {
        groups.push_back(group * 0x1'0000'0001);
        const auto request = request_of_groups(AF_INET6, groups);
        EXPECT_EQ(read_at<nlmsghdr>(request, 0).nlmsg_len, request.size());
        EXPECT_EQ(read_at<rtattr>(request, head_size).rta_len, request.size() - head_size);
        for (const std::uint64_t listed : groups) EXPECT_TRUE(lists(request, listed));
        EXPECT_FALSE(lists(request, 0));
        EXPECT_FALSE(lists(request, group));
    }
}

TEST(SocketRequest, ListenerIsAskedForByAddressAndPort) {
    const auto request = request_of_listener({"127.0.0.1", "20241"});
    ASSERT_TRUE(request);
    const auto what = read_at<inet_diag_req_v2>(*request, sizeof(nlmsghdr));
    EXPECT_EQ(what.sdiag_family, AF_INET);
    EXPECT_EQ(ntohs(what.id.idiag_sport), 20'241);
    EXPECT_EQ(ntohl(what.id.idiag_src[0]), INADDR_LOOPBACK);
    EXPECT_EQ(read_at<nlmsghdr>(*request, 0).nlmsg_flags & NLM_F_DUMP, 0);
    EXPECT_TRUE(request_of_listener({"::1", "1"}));
}

TEST(SocketRequest, ListenerOfANameIsNotAskedFor) {
    EXPECT_FALSE(request_of_listener({"localhost", "20241"}));
    EXPECT_FALSE(request_of_listener({"127.0.0.1", "http"}));
    EXPECT_FALSE(request_of_listener({"127.0.0.1", "65536"}));
    EXPECT_FALSE(request_of_listener({"127.0.0.1", ""}));
}

}  // namespace
}  // namespace keyturn
