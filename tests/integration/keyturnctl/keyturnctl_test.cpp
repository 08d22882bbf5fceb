#include "integration/keyturnctl/keyturnctl_fixture.hpp"

#include <gmock/gmock.h>

namespace keyturn::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(KeyturnctlTest, ShowsTheStatus) {
    const auto [output, exit_code] = run({"status"});
    EXPECT_THAT(output, StartsWith("TUNNEL  STATE  PHASE"));
    EXPECT_THAT(output, HasSubstr("\nweb     idle   -"));
    EXPECT_EQ(exit_code, 0);
}

TEST_F(KeyturnctlTest, ShowsThePlan) {
    const auto [output, exit_code] = run({"plan", "web", "--next", "2", "--json"});
    EXPECT_EQ(exit_code, 0);
    EXPECT_THAT(output, HasSubstr(R"("name": "web")"));
    EXPECT_THAT(output, HasSubstr(R"("cloudflared-web@a.service")"));
    EXPECT_THAT(output, HasSubstr(R"("start": "2026-03-01T02:31:00.000Z")"));
    EXPECT_THAT(output, HasSubstr(R"("end": "2026-03-01T02:32:00.000Z")"));
    EXPECT_THAT(output, HasSubstr(R"("cause": "never")"));
    EXPECT_THAT(output, HasSubstr("\"freeze\": \"a freeze (audit)\""));
    EXPECT_THAT(output, HasSubstr(R"("timezone": "Europe/Berlin")"));
    const auto [text, of_text] = run({"plan"});
    EXPECT_EQ(of_text, 0);
    EXPECT_THAT(text, StartsWith("web: 1 unit\n"));
    EXPECT_THAT(text, HasSubstr("use longer windows"));
}

TEST_F(KeyturnctlTest, PlanOfAnUnknownTunnelNamesTheOthers) {
    const auto [output, exit_code] = run({"plan", "nope"});
    EXPECT_THAT(output, HasSubstr("there is no tunnel nope; the policy has: web"));
    EXPECT_EQ(exit_code, 1);
}

TEST_F(KeyturnctlTest, ShowsTheWholeStatusAsJson) {
    soak();
    const auto [output, exit_code] = run({"status", "web", "--json"});
    EXPECT_THAT(output, HasSubstr("\"last_done\": \"2026-03-01T02:30:00.123Z\""));
    EXPECT_THAT(output, HasSubstr("\"verified_by\": \"systemd, ready\""));
    EXPECT_EQ(exit_code, 0);
}

TEST_F(KeyturnctlTest, TellsByItsExitCodeThatATunnelIsHeld) {
    tunnels_[0].state = "held";
    EXPECT_EQ(run({"status"}).second, 3);
    EXPECT_EQ(run({"status", "--json"}).second, 3);
}

TEST_F(KeyturnctlTest, TellsFindingsAndSaysSoByItsExitCode) {
    tunnels_[0].findings = {"the API token is refused", "one replica only"};
    const auto [output, exit_code] = run({"status"});
    EXPECT_THAT(output, HasSubstr("    - the API token is refused\n    - one replica only\n"));
    EXPECT_EQ(exit_code, 6);
    const auto [json, of_json] = run({"status", "web", "--json"});
    EXPECT_THAT(json, HasSubstr("\"one replica only\"\n      ]"));
    EXPECT_EQ(of_json, 6);
    tunnels_[0].last_outcome = "reverted";
    EXPECT_EQ(run({"status"}).second, 7);
    tunnels_[0].last_outcome = "taken over";
    EXPECT_EQ(run({"status"}).second, 8);
}

TEST_F(KeyturnctlTest, NamesTheTunnelsWhenOneIsUnknown) {
    const auto [output, exit_code] = run({"status", "wbe"});
    EXPECT_EQ(output, "keyturnctl: there is no tunnel wbe; did you mean web?\n");
    EXPECT_EQ(exit_code, 1);
}

TEST_F(KeyturnctlTest, AsksForARotation) {
    const auto [output, exit_code] = run({"rotate", "web", "--reason", "laptop lost"});
    EXPECT_THAT(output, HasSubstr("has accepted the rotation of web"));
    EXPECT_EQ(exit_code, 0);
    EXPECT_THAT(done_, ElementsAre("rotate web 'laptop lost' false"));
    EXPECT_EQ(run({"retry", "web"}).second, 0);
    EXPECT_EQ(done_.back(), "retry web");
    for (const char* word : {"pause", "resume", "revert"}) {
        const auto [said, code] = run({word, "web"});
        EXPECT_EQ(code, 0);
        EXPECT_THAT(said, HasSubstr("web"));
        EXPECT_THAT(said, HasSubstr("keyturnctl "));
        EXPECT_EQ(done_.back(), fmt::format("{} web", word));
    }
    EXPECT_EQ(run({"rotate", "web", "--compromised", "--evict-all"}).second, 0);
    EXPECT_EQ(done_.back(), "rotate web '' false compromised evict_all");
}

TEST_F(KeyturnctlTest, TellsWhyItWasRefused) {
    outcome_ = Error{Fault::denied, "the last rotation is 3h old, min_interval is 1d", {}};
    const auto [output, exit_code] = run({"rotate", "web", "--follow"});
    EXPECT_EQ(output, "keyturnctl: the last rotation is 3h old, min_interval is 1d\n");
    EXPECT_EQ(exit_code, 4);
    outcome_ = Error{Fault::conflict, "web is not held", {}};
    EXPECT_EQ(run({"retry", "web"}).second, 4);
}

TEST_F(KeyturnctlTest, KnowsThatTheDaemonDoesNotRun) {
    service_bus_.stop();
    ASSERT_TRUE(turn_until([&] { return !name_is_owned(); }));
    const auto [output, exit_code] = run({"status"});
    EXPECT_EQ(output,
              "keyturnctl: keyturnd is not running; to see why: systemctl status keyturnd\n");
    EXPECT_EQ(exit_code, 5);
    EXPECT_EQ(run({"rotate", "web", "--follow"}).second, 5);
    daemon_.stop();
    EXPECT_EQ(run({"status"}).second, 5);
}

TEST_F(KeyturnctlTest, FollowsUntilTheRotationIsDone) {
    KeyturnctlProcess process = start({"rotate", "web", "--follow"});
    ASSERT_TRUE(turn_until([&] { return !done_.empty(); }));
    soak();
    tunnels_[0].phase = "roll";
    tunnels_[0].units[0].step = "restarting";
    service_->changed("web");
    ASSERT_TRUE(says(process, "cloudflared-web@a.service: restarting\n"));
    tunnels_[0].units[0].step = "verified";
    tunnels_[0].phase = "soak";
    service_->changed("web");
    ASSERT_TRUE(says(process, "  soak after batch 1 of 2, 2m: watching"));
    finish();
    service_->changed("web");
    ASSERT_TRUE(turn_until([&] { return process.ended(); }));
    EXPECT_EQ(process.exit_code(), 0);
    EXPECT_THAT(process.output(), HasSubstr("  roll, batch 1 of 2: restarting"));
    EXPECT_THAT(process.output(), HasSubstr("cloudflared-web@a.service: restarting\n"));
    EXPECT_THAT(process.output(),
                HasSubstr("cloudflared-web@a.service: verified (systemd, ready)"));
    EXPECT_THAT(process.output(), HasSubstr("  soak after batch 1 of 2, 2m: "));
    EXPECT_THAT(
        process.output(),
        HasSubstr("web: done in 1m 30s; the fingerprint of the token is 0123456789abcdef\n"));
    EXPECT_THAT(process.output(), Not(HasSubstr("\x1b")));
}

TEST_F(KeyturnctlTest, FollowsAcrossARestartOfTheDaemon) {
    KeyturnctlProcess process = start({"rotate", "web", "--follow"});
    ASSERT_TRUE(turn_until([&] { return !done_.empty(); }));
    soak();
    service_->changed("web");
    ASSERT_TRUE(says(process, "soak after batch 1"));
    service_bus_.stop();
    ASSERT_TRUE(says(process, "keyturnd is not running"));
    Bus next_bus(context_, daemon_.opener(0));
    ControlService next(next_bus, handlers());
    next_bus.start();
    ASSERT_TRUE(says(process, "keyturnd is back"));
    tunnels_[0].state = "held";
    tunnels_[0].hold_reason = "verification_failed";
    next.changed("web");
    ASSERT_TRUE(turn_until([&] { return process.ended(); }));
    EXPECT_EQ(process.exit_code(), 3);
    EXPECT_THAT(process.output(),
                HasSubstr("When you have fixed it: keyturnctl retry web --follow\n"));
}

TEST_F(KeyturnctlTest, FollowsAcrossARestartOfTheBus) {
    KeyturnctlProcess process = start({"rotate", "web", "--follow"});
    ASSERT_TRUE(turn_until([&] { return !done_.empty(); }));
    soak();
    service_->changed("web");
    ASSERT_TRUE(says(process, "soak after batch 1"));
    daemon_.stop();
    ASSERT_TRUE(says(process, "keyturnd is not running"));
    daemon_.start();
    ASSERT_TRUE(says(process, "keyturnd is back"));
    finish();
    service_->changed("web");
    ASSERT_TRUE(turn_until([&] { return process.ended(); }));
    EXPECT_EQ(process.exit_code(), 0);
}

TEST_F(KeyturnctlTest, FindsTheEndByItselfWhenItMissedTheSignals) {
    KeyturnctlProcess process = start({"rotate", "web", "--follow"}, Output::terminal);
    ASSERT_TRUE(turn_until([&] { return !done_.empty(); }));
    soak();
    ASSERT_TRUE(says(process, "soak after batch 1"));
    finish();
    ASSERT_TRUE(turn_until([&] { return process.ended(); }));
    EXPECT_EQ(process.exit_code(), 0);
}

TEST_F(KeyturnctlTest, RedrawsABarOnATerminal) {
    KeyturnctlProcess process = start({"rotate", "web", "--follow"}, Output::terminal);
    ASSERT_TRUE(turn_until([&] { return !done_.empty(); }));
    soak();
    service_->changed("web");
    ASSERT_TRUE(says(process, "soak  [####################--------------------]  50%  1m left"));
    ASSERT_TRUE(says(process, "\x1b[10A\r\x1b[2K")) << "the block of ten lines is drawn again";
    ASSERT_TRUE(says(process, "51%")) << "it moves without a signal";
    EXPECT_LT(process.cpu_milliseconds(), 200) << "it waits for each tick, it does not spin";
}

TEST_F(KeyturnctlTest, InterruptEndsTheFollowingAlone) {
    KeyturnctlProcess process = start({"rotate", "web", "--follow"});
    ASSERT_TRUE(turn_until([&] { return !done_.empty(); }));
    soak();
    service_->changed("web");
    ASSERT_TRUE(says(process, "soak after batch 1"));
    process.interrupt();
    ASSERT_TRUE(turn_until([&] { return process.ended(); }));
    EXPECT_EQ(process.exit_code(), 130);
    EXPECT_THAT(process.output(), HasSubstr("The rotation of web continues."));
    EXPECT_EQ(done_.size(), 1U);
}

}  // namespace
}  // namespace keyturn::testing
