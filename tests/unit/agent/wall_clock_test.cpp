#include "unit/agent/agent_fixture.hpp"

namespace keyturn {
namespace {

using std::chrono::days;
using std::chrono::years;

/// The wall clock of this host is wrong while keyturnd rotates a tunnel every 30 days. The API
/// shows the right time.
class WallClockTest : public TunnelAgentTest {
  protected:
    WallClockTest() {
        policy_.schedule.every = days{30};
        policy_.drift.interval = 6h;
        policy_.rollout.soak = 1min;
    }

    /// The errors of a clock that a lost battery, 32 bits of seconds, or a person has set.
    [[nodiscard]] std::vector<Milliseconds> errors() const {
        const Milliseconds now = clock_.true_now().time_since_epoch();
        const Milliseconds end_of_32_bits{std::chrono::seconds{0x7fff'ffff}};
        return {1s,        -1s,        1h,         -1h,       days{2}, -days{2},
                years{10}, -years{10}, years{100}, years{80}, -now,    end_of_32_bits - now};
    }

    [[nodiscard]] bool rotated_times(std::size_t count) const {
        return host_->secrets_sent.size() == count;
    }
};

TEST_F(WallClockTest, SetWrongForADayIsNoReasonToRotate) {
    start_serving();
    pass(days{20});
    for (const Milliseconds error : errors()) {
        clock_.set_wrong_by(error);
        pass(2h);
        clock_.set_wrong_by(Milliseconds{0});
        pass(2h);
        EXPECT_TRUE(rotated_times(0)) << error.count();
    }
    pass(days{30});
    EXPECT_TRUE(rotated_times(1)) << "when it was due";
    EXPECT_EQ(restarts(), 2);
}

TEST_F(WallClockTest, SetWrongInARotationChangesNoneOfItsWaits) {
    policy_.schedule.min_interval = Milliseconds{0};
    start_serving();
    std::optional<Milliseconds> undisturbed;
    std::size_t rotations = 0;
    std::vector<Milliseconds> all = errors();
    all.insert(all.begin(), Milliseconds{0});
    for (const Milliseconds error : all) {
        const BootTime begun = clock_.boot_now();
        request();
        ASSERT_TRUE(run_until_soak());
        clock_.set_wrong_by(error);
        // Another rotation may be due by this clock, and is refused because of it.
        ASSERT_TRUE(run_until([this] { return status().phase.empty(); }));
        EXPECT_TRUE(rotated_times(++rotations));
        EXPECT_TRUE(file_holds_the_api_token());
        EXPECT_EQ(restarts(), 2 * static_cast<int>(rotations));
        clock_.set_wrong_by(Milliseconds{0});
        const Milliseconds took = clock_.boot_now() - begun;
        if (!undisturbed) undisturbed = took;
        EXPECT_EQ(took, *undisturbed) << error.count();
        pass(1h);
    }
}

/// Tries each clock error in a new world.
class WrongAtTheEnd : public WallClockTest, public testing::WithParamInterface<std::size_t> {};

TEST_P(WrongAtTheEnd, OfARotationNeitherBringsTheNextOneForwardNorPutsItOff) {
    start_serving();
    pass(days{10});
    clock_.set_wrong_by(errors().at(GetParam()));
    rotate();
    ASSERT_TRUE(rotated_times(1));
    clock_.set_wrong_by(Milliseconds{0});
    pass(days{29});
    EXPECT_TRUE(rotated_times(1));
    pass(days{2});
    EXPECT_TRUE(rotated_times(2));
}

TEST_P(WrongAtTheEnd, OfTheFirstStartDoesNotPutTheFirstRotationOff) {
    clock_.set_wrong_by(errors().at(GetParam()));
    start_serving();
    pass(2h);
    clock_.set_wrong_by(Milliseconds{0});
    pass(days{31});
    EXPECT_TRUE(rotated_times(1));
}

INSTANTIATE_TEST_SUITE_P(Errors, WrongAtTheEnd, testing::Range<std::size_t>(0, 12));

TEST_F(WallClockTest, PutRightMakesItLookAtTheCalendarAtOnce) {
    policy_.drift.interval = days{30};
    policy_.schedule.splay = Milliseconds{0};
    clock_.set_wrong_by(-days{10});
    start_serving();
    pass(days{25});
    EXPECT_TRUE(rotated_times(0));
    clock_.set_wrong_by(Milliseconds{0});  // Then the tunnel was first seen 35 days ago.
    pass(1min);
    EXPECT_TRUE(rotated_times(1));
}

TEST_F(WallClockTest, OneRotationMakesUpForAllThatWereMissedWhileTheHostWasOff) {
    start_serving();
    for (const Milliseconds off : {Milliseconds{days{90}}, Milliseconds{8h}}) {
        const std::size_t before = host_->secrets_sent.size();
        stop();
        pass(off);
        start();
        pass(days{2});
        EXPECT_TRUE(rotated_times(before + (off > days{30} ? 1 : 0))) << off.count();
    }
    EXPECT_EQ(restarts(), 2);
}

}  // namespace
}  // namespace keyturn
