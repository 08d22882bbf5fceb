// Somebody else changes the token file while a rotation is open.

#include "unit/rotation/world_test.hpp"

namespace keyturn {
namespace {

using TokenFile = RotationTest;

TEST_F(TokenFile, ThatIsEmptiedInASoakIsWrittenAgainBeforeTheNextRestart) {
    before("save soak", [&] { file_emptied = true; });
    ASSERT_TRUE(rotate_until("restart " + b));
    EXPECT_FALSE(file_emptied);
    run();
    EXPECT_TRUE(done());
    EXPECT_THAT(message(EventKind::token_file_changed), HasSubstr("contains no token"));
    EXPECT_FALSE(told(EventKind::foreign_rotation));
}

TEST_F(TokenFile, ThatHoldsTheOldTokenAgainIsWrittenAgainBeforeTheNextRestart) {
    before("save soak", [&] { file_token = Token::old; });
    rotate();  // RotationWorld aborts on a restart with a token that the API does not hold.
    EXPECT_TRUE(done());
    EXPECT_THAT(message(EventKind::token_file_changed), HasSubstr("contains another token"));
}

TEST_F(TokenFile, ThatIsEmptiedAfterTheLastRestartIsWrittenAgainBeforeTheTokensAreWiped) {
    ASSERT_TRUE(rotate_until("save finish"));
    file_emptied = true;
    run();
    EXPECT_TRUE(done());
    EXPECT_TRUE(told(EventKind::token_file_changed));
    EXPECT_FALSE(file_emptied);
}

TEST_F(TokenFile, IsLookedAtRightBeforeAllAreRestartedAtOnce) {
    request.kind = RotationKind::compromise;
    request.evict_all = true;
    ASSERT_TRUE(rotate_until("save roll"));
    file_emptied = true;
    for (const std::string& unit : {a, b}) {
        ASSERT_TRUE(run_until("restart " + unit));
        EXPECT_FALSE(file_emptied);
    }
    run();
    EXPECT_TRUE(done());
    EXPECT_TRUE(told(EventKind::token_file_changed));
}

TEST_F(TokenFile, IsLookedAtAgainWhereTheUnitsWereSeenTooLongAgo) {
    ASSERT_TRUE(rotate_until("save soak"));
    ASSERT_TRUE(run_until([&] { return disk_record->units.back().step == UnitStep::restarting; }));
    ASSERT_TRUE(run_until("check files"));
    now += 3s;
    unit(a).readiness->connections = 0;  // Until it reconnects.
    run();  // RotationWorld aborts where a serving unit goes down and too few others serve.
    EXPECT_TRUE(done());
}

/// A metrics server hangs: one sample of all units takes as long as a sample may be old.
TEST_F(TokenFile, KeepsNoUnitFromItsRestartHoweverLongALookAtTheUnitsTakes) {
    add_unit(c);
    before_each([&](const std::string& action) {
        const bool hangs =
            disk_record && disk_record->phase == Phase::roll && !told(EventKind::unit_verified);
        unit(c).silent = hangs ? "no complete answer came within 2000 ms" : "";
        if (hangs && action == "sample") now += 2100ms;
    });
    rotate();
    EXPECT_TRUE(done());
}

}  // namespace
}  // namespace keyturn
