// Watching rotations that somebody else has started.

#include "integration/keyturnctl/keyturnctl_fixture.hpp"

namespace keyturn::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class WatchTest : public KeyturnctlTest {
  protected:
    /// keyturnd refuses another rotation, because one is open.
    void open_by_somebody_else() {
        soak();
        tunnels_[0].trigger = "schedule";
        outcome_ = Error{Fault::conflict, "a rotation of web is already open", {}};
    }

    void interrupt(KeyturnctlProcess& process) {
        process.interrupt();
        ASSERT_TRUE(turn_until([&] { return process.ended(); }));
        EXPECT_EQ(process.exit_code(), 130);
    }
};

TEST_F(WatchTest, RotateFollowsTheRotationThatIsAlreadyOpen) {
    open_by_somebody_else();
    KeyturnctlProcess process = start({"rotate", "web", "--reason", "mine", "--follow"});
    ASSERT_TRUE(says(process, "soak after batch 1"));
    EXPECT_THAT(process.output(), HasSubstr("a rotation of web is already open"));
    EXPECT_THAT(process.output(), HasSubstr("rotation (schedule)"));
    finish();
    service_->changed("web");
    ASSERT_TRUE(turn_until([&] { return process.ended(); }));
    EXPECT_EQ(process.exit_code(), 0);
    EXPECT_THAT(process.output(), HasSubstr("web: done in 1m 30s"));
}

TEST_F(WatchTest, RotateTellsByItsExitCodeHowTheOpenRotationEnds) {
    open_by_somebody_else();
    tunnels_[0].state = "held";
    tunnels_[0].hold_reason = "verification_failed";
    EXPECT_EQ(run({"rotate", "web", "--follow"}).second, 3);
    EXPECT_EQ(run({"rotate", "web"}).second, 4) << "without --follow, nothing is attached";
    tunnels_[0].state = "running";
    KeyturnctlProcess process = start({"rotate", "web", "--follow"});
    ASSERT_TRUE(says(process, "soak after batch 1"));
    finish();
    tunnels_[0].last_outcome = "reverted";
    service_->changed("web");
    ASSERT_TRUE(turn_until([&] { return process.ended(); }));
    EXPECT_EQ(process.exit_code(), 7);
}

TEST_F(WatchTest, SaysOneLineForEachEventInAPipe) {
    KeyturnctlProcess process = start({"watch"});
    ASSERT_TRUE(says(process, "web: idle, 1/1 unit serves"));
    soak();
    service_->changed("web");
    ASSERT_TRUE(says(process, "web: soak after batch 1 of 2, 2m: "));
    finish();
    service_->changed("web");
    ASSERT_TRUE(says(process, "web: done in 1m 30s"));
    EXPECT_FALSE(process.ended()) << "it waits for the next rotation";
    interrupt(process);
    EXPECT_THAT(process.output(), Not(HasSubstr("\x1b")));
    EXPECT_THAT(process.output(), Not(HasSubstr("continues"))) << "no rotation is open";
}

TEST_F(WatchTest, WatchesOneTunnelOrAllAndAlsoAsStatus) {
    TunnelStatus api = tunnels_[0];
    api.name = "api";
    tunnels_.push_back(api);
    soak();
    for (const std::vector<std::string>& one :
         {std::vector<std::string>{"watch", "web"}, {"status", "web", "--follow"}}) {
        KeyturnctlProcess process = start(one);
        ASSERT_TRUE(says(process, "  soak after batch 1"));
        interrupt(process);
        EXPECT_THAT(process.output(), Not(HasSubstr("api")));
        EXPECT_THAT(process.output(), HasSubstr("The rotation of web continues."));
    }
    KeyturnctlProcess all = start({"status", "--follow"});
    ASSERT_TRUE(says(all, "api: idle, "));
    ASSERT_TRUE(says(all, "web: soak after batch 1"));
    tunnels_[1].findings = {"one replica only"};
    service_->changed("api");
    ASSERT_TRUE(says(all, "api: finding: one replica only")) << "a signal of any tunnel counts";
    interrupt(all);
    EXPECT_TRUE(done_.empty()) << "it asks for nothing";
}

TEST_F(WatchTest, RedrawsTheIdleStatusAndFollowsTheSizeOfTheWindow) {
    KeyturnctlProcess process = start({"watch", "web"}, Output::terminal);
    ASSERT_TRUE(says(process, "web: idle"));
    ASSERT_TRUE(says(process, "cloudflared-web@a.service"));
    soak();
    service_->changed("web");
    ASSERT_TRUE(says(process, "soak  [####################--------------------]  50%"));
    process.resize(40);
    ASSERT_TRUE(says(process, "file have the\r\n"));
    EXPECT_LT(process.cpu_milliseconds(), 500) << "it does not spin";
    interrupt(process);
}

TEST_F(WatchTest, OfATerminalThatCannotMoveItsCursorIsThatOfAPipe) {
    soak();
    KeyturnctlProcess dumb = start({"watch"}, Output::dumb_terminal);
    ASSERT_TRUE(says(dumb, "web: soak after batch 1"));
    interrupt(dumb);
    EXPECT_THAT(dumb.output(), Not(HasSubstr("\x1b")));
    KeyturnctlProcess plain = start({"watch"}, Output::terminal_without_colour);
    ASSERT_TRUE(says(plain, "soak  [####"));
    interrupt(plain);
    EXPECT_THAT(plain.output(), Not(HasSubstr("m\x1b"))) << "it draws in place, but has no colour";
    EXPECT_THAT(plain.output(), Not(HasSubstr("\x1b[3")));
}

TEST_F(WatchTest, OutlivesTheDaemon) {
    KeyturnctlProcess process = start({"watch"});
    ASSERT_TRUE(says(process, "web: idle"));
    service_bus_.stop();
    ASSERT_TRUE(says(process, "keyturnd is not running"));
    Bus next_bus(context_, daemon_.opener(0));
    ControlService next(next_bus, handlers());
    next_bus.start();
    ASSERT_TRUE(says(process, "keyturnd is back"));
    interrupt(process);
    EXPECT_EQ(run({"watch", "nope"}).second, 1);
}

TEST_F(WatchTest, NeedsARunningDaemonAtFirst) {
    service_bus_.stop();
    ASSERT_TRUE(turn_until([&] { return !name_is_owned(); }));
    EXPECT_EQ(run({"watch"}).second, 5);
}

}  // namespace
}  // namespace keyturn::testing
