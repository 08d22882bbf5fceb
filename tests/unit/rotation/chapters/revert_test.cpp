#include "rotation/revert.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

class RevertTest : public ChapterAlone {
  protected:
    RevertTest() {
        add_unit(a, UnitStep::verified).invocation_old = "old-a";
        add_unit(b, UnitStep::waiting).invocation_old = "old-b";
    }

    void go_back() { read(revert_.tell(Ending::go_back("an operator asked for it"))); }

    void come_to_the_look_at_the_units() {
        agree<SaveRecord>();
        agree<TakeBackSecret>();
        show_token(Holder::previous);
        answer<CommitSecret>({false});
        agree<DeliverToken>();
        show_token(Holder::ours);
    }

    [[nodiscard]] const UnitProgress& unit(std::size_t index) const {
        return context_.record.units[index];
    }
};

TEST_F(RevertTest, LetsTheTwoTokensChangePlacesOnTheDiskFirst) {
    context_.record.hold = Hold{HoldReason::verification_failed, "no", a, {}};
    go_back();
    const RotationRecord& saved = asked<SaveRecord>().record;
    EXPECT_EQ(saved.phase, Phase::revert);
    EXPECT_EQ(saved.new_fingerprint, "old");
    EXPECT_EQ(saved.old_fingerprint, "new");
    EXPECT_EQ(saved.reverting, "an operator asked for it");
    EXPECT_FALSE(saved.hold);
}

TEST_F(RevertTest, SparesUnitsThatNeverLeftTheOldToken) {
    go_back();
    come_to_the_look_at_the_units();
    answer<SampleUnits>({serving("new-a", "c-a"), serving("old-b", "c-b")});
    expect_next(ChapterName::window);
    EXPECT_EQ(unit(0).step, UnitStep::waiting);
    EXPECT_EQ(unit(1).step, UnitStep::verified);
    EXPECT_EQ(unit(1).verified_by, "not restarted");
    EXPECT_THAT(context_.record.connectors_before, ElementsAre("c-a"));
    EXPECT_THAT(told(), ElementsAre(EventKind::rotation_reverting, EventKind::secret_committed,
                                    EventKind::token_delivered, EventKind::unit_spared));
}

TEST_F(RevertTest, RestartsAUnitOfTheOldTokenThatHasLostItsConnections) {
    go_back();
    come_to_the_look_at_the_units();
    answer<SampleUnits>({serving("new-a", "c-a"), idle("old-b", "c-b")});
    EXPECT_EQ(unit(1).step, UnitStep::waiting);
}

TEST_F(RevertTest, StartsTheUnitAgainThatCausedTheRevert) {
    read(revert_.tell(Ending::held(HoldReason::verification_failed, "it died", a)));
    come_to_the_look_at_the_units();
    answer<SampleUnits>({stopped(), stopped()});
    EXPECT_EQ(unit(0).step, UnitStep::restarting);
    EXPECT_EQ(unit(1).step, UnitStep::waiting) << "an operator may have stopped that one";
}

TEST_F(RevertTest, ContinuesAfterACrashWhereItStopped) {
    context_.record.reverting = "a unit did not come back";
    go_back();
    EXPECT_EQ(asked<TakeBackSecret>().fingerprint, "new") << "they have changed places already";
    EXPECT_EQ(context_.record.reverting, "a unit did not come back");
}

TEST_F(RevertTest, OfAMoveTouchesOnlyTheUnitsThatMoved) {
    context_.record.request = {.kind = RotationKind::adopt, .units = {a}};
    context_.record.hold = Hold{HoldReason::operator_took_over, "it was stopped", b, {}};
    context_.record.units.push_back(planned("c", UnitStep::verified));
    context_.record.units.push_back(planned("d", UnitStep::listed));
    context_.record.units.push_back(planned(extra, UnitStep::verified));
    context_.record.units.back().surge = true;
    context_.record.request.units = {a, "d"};
    go_back();
    EXPECT_EQ(asked<SaveRecord>().record.new_fingerprint, "new") << "no token changes";
    EXPECT_EQ(unit(0).step, UnitStep::waiting);
    EXPECT_EQ(unit(1).step, UnitStep::listed) << "a person has seen that it does not run";
    EXPECT_EQ(unit(2).step, UnitStep::verified) << "nobody named it";
    EXPECT_EQ(unit(3).step, UnitStep::listed);
    EXPECT_EQ(unit(4).step, UnitStep::listed) << "the extra connector starts when it is needed";
    agree<SaveRecord>();
    show_token(Holder::ours);
    answer<SampleUnits>(
        {serving("new-a", "c-a"), stopped(), serving("c", "c-c"), stopped(), stopped()});
    expect_next(ChapterName::window);
    EXPECT_THAT(context_.record.connectors_before, ElementsAre("c-a"));
}

TEST_F(RevertTest, EndsIfSomebodyElsesTokenIsTakenOverMeanwhile) {
    context_.record.request = {.kind = RotationKind::adopt, .units = {a}};
    go_back();
    agree<SaveRecord>();
    show_token(Holder::other);
    EXPECT_FALSE(is_asked<SampleUnits>());
}

TEST_F(RevertTest, StartsNoUnitThatSystemdIsStartingAlready) {
    read(revert_.tell(Ending::held(HoldReason::verification_failed, "it died", a)));
    come_to_the_look_at_the_units();
    Sample starting = stopped();
    starting.state.job_pending = true;
    answer<SampleUnits>({starting, stopped()});
    EXPECT_EQ(unit(0).step, UnitStep::waiting);
}

TEST_F(RevertTest, IsPossibleOnceAndOnlyToATokenOfOursThatIsNotInWrongHands) {
    const auto possible = [&] { return can_revert(context_.inputs, context_.record); };
    const RotationRecord before = context_.record;
    EXPECT_TRUE(possible());
    for (const RotationKind kind : {RotationKind::compromise, RotationKind::takeover}) {
        context_.record.request.kind = kind;
        EXPECT_FALSE(possible());
    }
    for (bool RotationRecord::*flag : {&RotationRecord::foreign, &RotationRecord::proven}) {
        context_.record = before;
        context_.record.*flag = true;
        EXPECT_FALSE(possible());
    }
    context_.record = before;
    context_.record.reverting = "once";
    EXPECT_FALSE(possible());
    context_.record = before;
    context_.inputs.retired = {"old"};
    EXPECT_FALSE(possible());
}

}  // namespace
}  // namespace keyturn
