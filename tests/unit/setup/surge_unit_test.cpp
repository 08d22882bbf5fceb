#include "setup/surge_unit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr const char* token_file = "/var/lib/keyturn/tokens/web";

class SurgeUnitTest : public testing::Test {
  protected:
    SurgeUnitTest() {
        settings_.name = "cloudflared-web@1.service";
        settings_.exec_start = {{"/usr/bin/cloudflared", "--no-autoupdate", "--metrics",
                                 "127.0.0.1:20241", "tunnel", "--protocol", "http2", "run",
                                 "--token-file",
                                 "/run/credentials/cloudflared-web@1.service/token"}};
    }

    std::string made(const std::string& text) {
        const auto unit = surge_unit_text(settings_, {text}, "web", token_file);
        return unit ? *unit : unit.error().text;
    }

    UnitSettings settings_;
};

TEST_F(SurgeUnitTest, IsEverythingThatTheUnitIs) {
    const std::string unit = made(
        "[Unit]\nAfter=network-online.target\n[Service]\nType=notify\nUser=tunnel\n"
        "NetworkNamespacePath=/run/netns/edge\nEnvironment=HTTPS_PROXY=http://proxy:3128\n");
    for (const char* line : {"After=network-online.target\n", "Type=notify\n", "User=tunnel\n",
                             "NetworkNamespacePath=/run/netns/edge\n",
                             "Environment=HTTPS_PROXY=http://proxy:3128\n"}) {
        EXPECT_THAT(unit, HasSubstr(line));
    }
}

TEST_F(SurgeUnitTest, RunsTheSameCommandOnAFreePort) {
    EXPECT_THAT(made("[Service]\nExecStart=/usr/bin/cloudflared\n"),
                HasSubstr("\nExecStart=\nExecStart=/usr/bin/cloudflared --metrics=127.0.0.1:0 "
                          "--no-autoupdate tunnel --protocol http2 run --token-file %d/token"));
}

TEST_F(SurgeUnitTest, TakesTheTokenFromKeyturnsFile) {
    const std::string unit = made("[Service]\nLoadCredential=token:/etc/other\n");
    EXPECT_GT(unit.find("LoadCredential=token:/var/lib/keyturn/tokens/web"),
              unit.find("LoadCredential=token:/etc/other"));
    EXPECT_THAT(unit, HasSubstr("UnsetEnvironment=TUNNEL_TOKEN TUNNEL_TOKEN_FILE"));
}

TEST_F(SurgeUnitTest, WritesOutWhatStandsForTheNameOfTheUnit) {
    const std::string unit = made("[Unit]\nDescription=%i of %p, %n or %N on %H at 100%%\n");
    EXPECT_THAT(unit, HasSubstr("Description=1 of cloudflared-web, cloudflared-web@1.service or "
                                "cloudflared-web@1 on %H at 100%%\n"));
}

TEST_F(SurgeUnitTest, TellsNoTokenThatOnceWasInTheUnit) {
    const std::string token = "eyJhIjoiNjk5ZDk4NjQyYzU2NGQyZTg1NWU5NjYxODk5YjcyNTIiLCJzIjoiQUFF";
    const std::string unit =
        made("[Service]\nExecStart=/usr/bin/cloudflared tunnel run --token " + token +
             "\n# was: --token " + token + "\nExecStart=/usr/bin/cloudflared \\\n  # " + token +
             "\n  tunnel run \\\n  --token " + token + "\nEnvironment=TUNNEL_TOKEN=" + token +
             " TUNNEL_LOGLEVEL=debug\nSetCredential=token:plain-secret\n; " + token + "\nUser=a\n");
    EXPECT_THAT(unit, Not(HasSubstr("eyJ")));
    EXPECT_THAT(unit, Not(HasSubstr("plain-secret")));
    EXPECT_THAT(unit, HasSubstr("TUNNEL_LOGLEVEL=debug\n"));
    EXPECT_THAT(unit, HasSubstr("\nUser=a\n"));
    EXPECT_EQ(unit.find("ExecStart=/"), unit.rfind("ExecStart=/")) << "its own command alone";
}

/// What a failed one keeps from starting stays down; without it systemd tries again.
TEST_F(SurgeUnitTest, HasNoConditions) {
    settings_.conditions = {{"ConditionPathExists", false, false, "/etc/a"}};
    const std::string unit =
        made("[Unit]\nConditionPathExists=/etc/a\nAssertFileNotEmpty=|/etc/b\nAfter=b.service\n");
    EXPECT_THAT(unit, Not(HasSubstr("Condition")));
    EXPECT_THAT(unit, Not(HasSubstr("Assert")));
    EXPECT_THAT(unit, HasSubstr("[Unit]\nAfter=b.service\n"));
}

TEST_F(SurgeUnitTest, IsNotKeptFromWhatWasTakenOutAgain) {
    EXPECT_THAT(made("[Service]\nExecStartPre=/usr/bin/prepare\nType=notify\nExecStartPre=\n"),
                HasSubstr("Type=notify"));
    EXPECT_THAT(made("[Service]\nExecStartPre=\nExecStartPre=/usr/bin/prepare\n"),
                HasSubstr("its ExecStartPre="));
}

TEST_F(SurgeUnitTest, IsStartedByNobodyElse) {
    const std::string unit =
        made("[Service]\nType=notify\n[Install]\nWantedBy=multi-user.target\n");
    EXPECT_THAT(unit, Not(HasSubstr("WantedBy")));
    EXPECT_THAT(unit, Not(HasSubstr("[Install]")));
}

TEST_F(SurgeUnitTest, RefusesWhatTwoUnitsCannotShare) {
    EXPECT_THAT(
        made("[Service]\nRuntimeDirectory=cloudflared\n"),
        HasSubstr("its RuntimeDirectory= is removed when the first of the two units stops"));
    EXPECT_THAT(made("[Service]\nExecStartPre=/usr/bin/prepare\n"),
                HasSubstr("its ExecStartPre= may do something that must happen only once"));
    EXPECT_THAT(made("[Service]\nStateDirectory=cloudflared\n"),
                HasSubstr("write keyturn-surge@.service yourself"));
    EXPECT_THAT(made("[Unit]\nDescription=%j\n"), HasSubstr("%j stands for a part of its name"));
    // Which is empty takes nothing.
    EXPECT_THAT(made("[Service]\nExecStartPre=\n"), HasSubstr("\nExecStart="));
}

TEST_F(SurgeUnitTest, RefusesAnotherProgram) {
    settings_.exec_start = {{"/usr/bin/sleep", "1"}};
    EXPECT_THAT(made(""), HasSubstr("its command is not `cloudflared tunnel run`"));
}

}  // namespace
}  // namespace keyturn
