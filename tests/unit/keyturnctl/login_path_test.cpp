#include "login_path.hpp"

#include <gmock/gmock.h>

#include <string>

namespace keyturn {
namespace {

using namespace std::string_literals;
using ::testing::Eq;
using ::testing::HasSubstr;

TEST(SshLogin, IsReadFromAnEnvironment) {
    EXPECT_THAT(read_ssh_login("HOME=/root\0SSH_CONNECTION=::1 50022 ::1 22\0TERM=xterm\0"s),
                Eq(SshLogin{{"::1", "50022"}, {"::1", "22"}}));
    EXPECT_THAT(read_ssh_login("SSH_CONNECTION=192.0.2.1 50022 192.0.2.2 22"),
                Eq(SshLogin{{"192.0.2.1", "50022"}, {"192.0.2.2", "22"}}));
}

TEST(SshLogin, AnyOtherEnvironmentHasNone) {
    EXPECT_FALSE(read_ssh_login(""));
    EXPECT_FALSE(read_ssh_login("HOME=/root\0TERM=xterm\0"s));
    EXPECT_FALSE(read_ssh_login("OLD_SSH_CONNECTION=192.0.2.1 50022 192.0.2.2 22"));
    EXPECT_FALSE(read_ssh_login("SSH_CONNECTION="));
    EXPECT_FALSE(read_ssh_login("SSH_CONNECTION=192.0.2.1 50022 192.0.2.2"));
    EXPECT_FALSE(read_ssh_login("SSH_CONNECTION=192.0.2.1 50022 192.0.2.2 22 more"));
}

TEST(PermitCut, TheOnlyWayInNeedsDetach) {
    const auto refused = permit_cut("cloudflared.service", "web", false, false);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::denied);
    EXPECT_THAT(refused.error().text, HasSubstr("--detach"));
}

TEST(PermitCut, ItWarnsOtherwise) {
    for (const bool others_serve : {false, true}) {
        ::testing::internal::CaptureStdout();
        EXPECT_TRUE(permit_cut("cloudflared.service", "web", others_serve, !others_serve));
        EXPECT_THAT(::testing::internal::GetCapturedStdout(),
                    HasSubstr("Your login comes through cloudflared.service"));
    }
}

}  // namespace
}  // namespace keyturn
