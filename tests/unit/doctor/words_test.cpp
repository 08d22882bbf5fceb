#include "doctor/grace_period.hpp"
#include "doctor/ignored.hpp"
#include "doctor/remedy.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using ::testing::ElementsAre;
using namespace std::chrono_literals;

TEST(GracePeriod, IsReadAsGoWritesIt) {
    EXPECT_EQ(parse_go_duration("30s"), 30s);
    EXPECT_EQ(parse_go_duration("1m30s"), 90s);
    EXPECT_EQ(parse_go_duration("1500ms"), 1500ms);
    EXPECT_EQ(parse_go_duration("1h"), 1h);
    for (const char* wrong : {"", "30", "s", "-1s", "1x", "1s1"})
        EXPECT_EQ(parse_go_duration(wrong), std::nullopt) << wrong;
}

TEST(GracePeriod, ComesFromTheCommandThenTheEnvironment) {
    UnitSettings settings;
    settings.exec_start = {{"/usr/bin/cloudflared", "tunnel", "run"}};
    EXPECT_EQ(grace_period_of(settings), 30s);
    settings.environment = {"TUNNEL_GRACE_PERIOD=1m"};
    EXPECT_EQ(grace_period_of(settings), 60s);
    settings.exec_start = {{"/usr/bin/cloudflared", "tunnel", "--grace-period=45s", "run"}};
    EXPECT_EQ(grace_period_of(settings), 45s);
}

TEST(Version, IsComparedByNumber) {
    EXPECT_TRUE(is_older("2024.12.2", "2025.4.0"));
    EXPECT_TRUE(is_older("2025.2.10", "2025.4.0"));
    EXPECT_FALSE(is_older("2025.4.0", "2025.4.0"));
    EXPECT_FALSE(is_older("2025.10.1", "2025.4.0"));
    EXPECT_FALSE(is_older("DEV", "2025.4.0"));
}

TEST(IgnoredChecks, SurviveTheirFile) {
    const std::vector<IgnoredCheck> ignored{{"swap", "2026-11-29", "the disk is encrypted below"},
                                            {"journal", "2026-11-30", ""}};
    EXPECT_EQ(parse_ignored(ignored_text(ignored)), ignored);
    EXPECT_THAT(parse_ignored("# x\n\nbroken\nswap 2026-11-29 why\n"),
                ElementsAre(IgnoredCheck{"swap", "2026-11-29", "why"}));
}

TEST(IgnoredChecks, KeepOneLineEach) {
    const std::string text = ignored_text({{"swap", "2026-11-29", "a\nclock 2026-11-29 b"}});
    EXPECT_THAT(parse_ignored(text),
                ElementsAre(IgnoredCheck{"swap", "2026-11-29", "a clock 2026-11-29 b"}));
}

TEST(Remedy, QuotesWhatAShellWouldRead) {
    EXPECT_EQ(shell_word("/etc/x-1.conf"), "/etc/x-1.conf");
    EXPECT_EQ(shell_word("a b"), "'a b'");
    EXPECT_EQ(shell_word("a'b"), "'a'\\''b'");
    EXPECT_EQ(drop_in_command("a\\x2db.service", "restart", {"[Service]", "Restart=no"}),
              "sudo sh -c 'mkdir -p \"/etc/systemd/system/a\\x2db.service.d\" && printf "
              "\"[Service]\\nRestart=no\\n\" >\"/etc/systemd/system/a\\x2db.service.d\""
              "/10-restart.conf && systemctl daemon-reload'");
}

}  // namespace
}  // namespace keyturn
