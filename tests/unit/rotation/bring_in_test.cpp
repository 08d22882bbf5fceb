#include "fakes/crash_loop.hpp"
#include "unit/rotation/world_test.hpp"

namespace keyturn {
namespace {

/// Root has moved units of a tunnel with three onto the token file.
struct AdoptWorld : CrashWorld {
    AdoptWorld() { request = {.kind = RotationKind::adopt, .trigger = "adopt"}; }
};

/// Root has moved a and b off the token file, and c stays on it.
struct ReleaseWorld : CrashWorld {
    ReleaseWorld() {
        request = {.kind = RotationKind::release, .trigger = "release", .units = {a, b}};
        for (const std::string& name : {a, b}) unit(name).source = Token::old;
    }
};

using Adopt = WorldTest<AdoptWorld>;
using Release = WorldTest<ReleaseWorld>;

void expect_nothing_sent(const RotationWorld& world) {
    EXPECT_EQ(world.patches, 0);
    EXPECT_EQ(world.secrets_made, 0);
    EXPECT_FALSE(world.told(EventKind::foreign_rotation));
}

TEST_F(Adopt, RestartsEveryUnitWithTheTokenAsItIs) {
    rotate();
    ASSERT_TRUE(done());
    EXPECT_EQ(outcome(), Outcome::adopted);
    EXPECT_THAT(restarted(), ElementsAre(a, b, c));
    EXPECT_GE(fewest_serving, 2) << "one unit at a time is down";
    expect_nothing_sent(*this);
    EXPECT_FALSE(pending_kept);
    EXPECT_EQ(history.back().old_fingerprint, "old");
    EXPECT_EQ(history.back().new_fingerprint, "old");
    EXPECT_THAT(message(EventKind::rotation_started),
                HasSubstr("Bringing 3 units of web onto keyturn's token file (adopt): 2 batches"));
    EXPECT_THAT(history.back().text, HasSubstr("The units of web now take their token from "
                                               "keyturn's file: 3 units serve with old"));
}

TEST_F(Adopt, LeavesUnitsAloneThatAreNotNamed) {
    request.units = {b};
    const std::string process = unit(a).state.invocation;
    rotate();
    ASSERT_TRUE(done());
    EXPECT_THAT(restarted(), ElementsAre(b));
    EXPECT_EQ(unit(a).state.invocation, process);
    EXPECT_THAT(history.back().text, HasSubstr(b + " of web now takes its token from keyturn's "
                                                   "file: 1 unit serves with old"));
    const std::vector<UnitProgress>& kept = history.back().units;
    const auto found = std::ranges::find(kept, a, &UnitProgress::name);
    ASSERT_NE(found, kept.end());
    EXPECT_EQ(found->step, UnitStep::verified);
    EXPECT_EQ(found->verified_by, "not restarted");
    EXPECT_EQ(found->invocation_after, "") << "its token is unknown";
}

TEST_F(Adopt, DoesNotMindWhereTheOtherUnitsTakeTheirTokenFrom) {
    request.units = {b};
    unit(a).source = Token::old;
    rotate();
    EXPECT_TRUE(done());
}

TEST_F(Adopt, DoesNotMindConnectorsOnOtherHostsBecauseTheTokenStays) {
    foreign_connectors = {{"other", other_address, "", "", 4}};
    rotate();
    ASSERT_TRUE(done());
    EXPECT_THAT(restarted(), ElementsAre(a, b, c));
    EXPECT_FALSE(told(EventKind::straggler_seen)) << "it has nothing to do with these restarts";
}

TEST_F(Adopt, DoesNotStartAStoppedUnit) {
    unit(c).stop();
    unit(b).stop();
    request.units = {a, b};
    request.accept_gap = true;
    rotate();
    ASSERT_TRUE(done());
    EXPECT_THAT(restarted(), ElementsAre(a));
    EXPECT_EQ(message(EventKind::unit_left_stopped),
              b + " is not running: keyturnd does not start it");
}

TEST_F(Adopt, LeavesAnUnnamedUnitAloneThatIsStartedMeanwhile) {
    request.units = {a};
    unit(c).stop();
    start();
    ASSERT_TRUE(run_past("restart " + a));
    unit(c).come_up("by-hand", Token::foreign, 0);
    run();
    ASSERT_TRUE(done());
    EXPECT_THAT(restarted(), ElementsAre(a));
}

TEST_F(Adopt, ContinuesAfterACrashAtAnyPoint) {
    AdoptWorld first;
    first.request.units = {a, b};
    first.start();
    int crashes = 0;
    after_every_action(std::move(first), [&](RotationWorld& world) {
        ++crashes;
        world.crash_and_restart();
        world.run();
        ASSERT_TRUE(world.done());
        EXPECT_EQ(world.outcome(), Outcome::adopted);
        EXPECT_EQ(world.restarts(a), 1);
        EXPECT_EQ(world.restarts(b), 1);
        EXPECT_EQ(world.restarts(c), 0);
        EXPECT_THAT(world.history, SizeIs(1));
        expect_nothing_sent(world);
    });
    EXPECT_GT(crashes, 80);
}

TEST_F(Adopt, IsRefusedForEachReason) {
    const auto refusal = [](const std::function<void(AdoptWorld&)>& change) {
        AdoptWorld world;
        change(world);
        world.rotate();
        EXPECT_TRUE(world.refused());
        EXPECT_EQ(world.restarts(), 0);
        EXPECT_EQ(world.outcome(), Outcome::refused);
        EXPECT_FALSE(world.pending_kept);
        expect_nothing_sent(world);
        EXPECT_THAT(world.message(EventKind::rotation_refused), HasSubstr("no unit was restarted"));
        return world.history.back().text;
    };
    EXPECT_THAT(refusal([](AdoptWorld& world) { world.api_token = Token::foreign; }),
                HasSubstr("Cloudflare has another token than the token file; wait until keyturnd "
                          "has taken it over"));
    EXPECT_THAT(refusal([](AdoptWorld& world) { world.file_emptied = true; }),
                HasSubstr("there is no token file yet"));
    EXPECT_THAT(refusal([](AdoptWorld& world) {
                    world.request.units = {a, "other.service"};
                }),
                HasSubstr("other.service is not a unit of web"));
    EXPECT_THAT(refusal([](AdoptWorld& world) {
                    world.add_surge();
                    world.request.units = {extra};
                }),
                HasSubstr("is not a unit of web"));
    EXPECT_THAT(refusal([](AdoptWorld& world) { world.unit(b).source = Token::old; }),
                HasSubstr(b + ": its token is in its own file"));
    EXPECT_THAT(refusal([](AdoptWorld& world) { world.unit(b).refused = true; }),
                HasSubstr("polkit does not allow"));
    EXPECT_THAT(refusal([](AdoptWorld& world) { world.leave_one_unit(); }),
                HasSubstr("only one unit is serving"));
    EXPECT_THAT(refusal([](AdoptWorld& world) { world.fail_next("keep token", no_right); }),
                HasSubstr("cannot keep the token"));
    EXPECT_THAT(refusal([](AdoptWorld& world) {
                    world.once_before("keep token", [&] { world.api_token = Token::foreign; });
                }),
                HasSubstr("Cloudflare has another token"));
}

TEST_F(Release, TakesUnitsOffTheFileAndRestartsNoOther) {
    rotate();
    ASSERT_TRUE(done());
    EXPECT_EQ(outcome(), Outcome::released);
    EXPECT_THAT(restarted(), ElementsAre(a, b));
    expect_nothing_sent(*this);
    EXPECT_THAT(message(EventKind::rotation_started),
                HasSubstr("Taking 2 units of web off keyturn's token file"));
    EXPECT_THAT(history.back().text,
                HasSubstr("of web no longer take their token from keyturn's file: 2 units serve"));
}

TEST_F(Release, IsRefusedForAUnitThatStillReadsTheFile) {
    unit(b).source.reset();
    rotate();
    ASSERT_TRUE(refused());
    EXPECT_THAT(history.back().text,
                HasSubstr(b + " still takes its token from keyturn's token file"));
}

TEST_F(Release, IsRefusedForAUnitWithAnotherProblem) {
    unit(b).problem = "systemd has not read its unit file";
    rotate();
    ASSERT_TRUE(refused());
    EXPECT_THAT(history.back().text, HasSubstr("systemd has not read its unit file"));
}

TEST_F(Release, ContinuesAfterACrashAtAnyPoint) {
    after_every_action(started<ReleaseWorld>(), [](RotationWorld& world) {
        world.crash_and_restart();
        world.run();
        ASSERT_TRUE(world.done());
        EXPECT_EQ(world.outcome(), Outcome::released);
        EXPECT_EQ(world.restarts(), 2);
        expect_nothing_sent(world);
    });
}

// What goes wrong.

TEST_F(Adopt, HoldsForAUnitThatDoesNotComeBackAndContinuesAfterARetry) {
    policy.rollout.on_failure = OnFailure::revert;
    unit(a).fate = Fate::fails;
    rotate();
    ASSERT_EQ(held_for(), HoldReason::verification_failed)
        << "root has to put its files back first";
    EXPECT_THAT(
        message(EventKind::rotation_held),
        HasSubstr("after you have put the settings of its units back, `keyturnctl revert web` "
                  "restarts again what was restarted"));
    unit(a).fate = Fate::comes_up;
    retry();
    ASSERT_TRUE(done());
    EXPECT_EQ(outcome(), Outcome::adopted);
    EXPECT_EQ(restarts(b), 1);
}

TEST_F(Adopt, IsUndoneByARevertAfterAHold) {
    unit(b).fate = Fate::fails;
    rotate();
    ASSERT_TRUE(held());
    for (const std::string& name : {a, b, c}) unit(name).source = Token::old;
    unit(b).fate = Fate::comes_up;
    ASSERT_TRUE(rotation->can_revert());
    rotation->ask_to_revert();
    run_until(EventKind::rotation_reverting);
    run();
    ASSERT_TRUE(done());
    EXPECT_EQ(outcome(), Outcome::reverted);
    EXPECT_EQ(restarts(a), 2);
    EXPECT_EQ(restarts(b), 2);
    EXPECT_EQ(restarts(c), 0) << "it was never restarted";
    EXPECT_EQ(serving(), 3);
    expect_nothing_sent(*this);
    EXPECT_EQ(count("take back"), 0U);
    EXPECT_THAT(history.back().text, HasSubstr("The units of web run as before: 3 units serve"));
    EXPECT_FALSE(history.back().changed_token());
}

TEST_F(Adopt, StartsAUnitAgainThatItsOwnRestartLeftStopped) {
    unit(a).fate = Fate::done_but_dead;
    rotate();
    ASSERT_TRUE(held());
    unit(a).fate = Fate::comes_up;
    rotation->ask_to_revert();
    run_until(EventKind::rotation_reverting);
    run();
    ASSERT_TRUE(done());
    EXPECT_EQ(outcome(), Outcome::reverted);
    EXPECT_EQ(restarts(a), 2);
    EXPECT_EQ(restarts(), 2);
}

/// An operator gives it up at any point, and keyturnd dies at any point after that.
TEST_F(Adopt, IsUndoneAtAnyPoint) {
    after_every_action(started<AdoptWorld>(), [](RotationWorld& world) {
        if (world.disk_record->proven || !world.disk_record->refusal.empty()) return;
        std::map<std::string, int> before;
        for (const std::string& name : {a, b, c}) before[name] = world.restarts(name);
        world.crash_and_restart();
        world.rotation->ask_to_revert();
        world.steps(world.log.size() % 25);
        if (!world.rotation->ended()) world.crash_and_restart();
        world.run();
        ASSERT_TRUE(world.done() || world.refused());
        expect_nothing_sent(world);
        for (const std::string& name : {a, b, c}) EXPECT_LE(world.restarts(name), 3) << name;
        EXPECT_EQ(world.serving(), 3);
    });
}

TEST_F(Adopt, EndsOnASecretThatSomebodyElseSetsMeanwhile) {
    request.units = {a};
    start();
    ASSERT_TRUE(run_past("restart " + a));
    api_token = Token::foreign;
    run();
    ASSERT_TRUE(done());
    EXPECT_EQ(outcome(), Outcome::taken_over);
    EXPECT_EQ(restarts(a), 2);
    EXPECT_EQ(restarts(b), 1) << "it has the dead token";
    EXPECT_EQ(restarts(c), 1);
    EXPECT_EQ(patches, 0);
}

TEST_F(Adopt, HoldsForAnUnnamedUnitThatFailsInTheSoakAndLeavesItToTheOperator) {
    request.units = {a, b};
    soak_for(1s);
    unit(c).fail();
    run();
    ASSERT_EQ(held_for(), HoldReason::verification_failed);
    EXPECT_EQ(hold().unit, c);
    retry();
    ASSERT_TRUE(done());
    EXPECT_EQ(restarts(c), 0);
    EXPECT_EQ(restarts(b), 1);
}

TEST_F(Adopt, ProvesAnUnnamedUnitAgainThatSomebodyRestarts) {
    request.units = {a, b};
    soak_for(1s);
    unit(c).replace_process("another");
    run();
    ASSERT_TRUE(done());
    EXPECT_TRUE(told(EventKind::soak_restarted));
    EXPECT_EQ(restarts(c), 0);
}

TEST_F(Adopt, LetsTheExtraUnitHelpOut) {
    leave_one_unit();
    add_surge();
    rotate();
    ASSERT_TRUE(done());
    EXPECT_GE(fewest_serving, 1);
    EXPECT_EQ(restarts(a), 1);
    EXPECT_EQ(restarts(extra), 1);
    EXPECT_FALSE(unit(extra).state.running());
}

TEST_F(Adopt, TakesAGapThatIsAccepted) {
    leave_one_unit();
    request.accept_gap = true;
    rotate();
    ASSERT_TRUE(done());
    EXPECT_THAT(history.back().text, HasSubstr("The unit of web now takes its token"));
}

TEST_F(Adopt, StandsStillInAPause) {
    start();
    ASSERT_TRUE(run_past("restart " + a));
    pause();
    run_for(1h);
    EXPECT_EQ(restarts(), 1);
    EXPECT_EQ(message(EventKind::rotation_paused),
              "The rotation of web is paused until `keyturnctl resume web`");
    resume();
    EXPECT_TRUE(done());
}

}  // namespace
}  // namespace keyturn
