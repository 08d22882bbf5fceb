#include "rotation/beginning.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

using BeginningTest = ChapterAlone;

TEST_F(BeginningTest, ContinuesWithTheChapterOfThePhaseOnTheDisk) {
    struct Row {
        Phase phase;
        UnitStep step;
        ChapterName next;
    };
    for (const Row& row : {Row{Phase::preflight, UnitStep::waiting, ChapterName::preparation},
                           Row{Phase::prepare, UnitStep::waiting, ChapterName::preparation},
                           Row{Phase::commit, UnitStep::waiting, ChapterName::commit},
                           Row{Phase::revert, UnitStep::waiting, ChapterName::revert},
                           Row{Phase::roll, UnitStep::restarting, ChapterName::resumption},
                           Row{Phase::soak, UnitStep::verified, ChapterName::resumption},
                           Row{Phase::finish, UnitStep::verified, ChapterName::finish},
                           Row{Phase::finish, UnitStep::waiting, ChapterName::resumption}}) {
        context_.record = RotationRecord();
        context_.record.phase = row.phase;
        add_unit(a, row.step);
        read(beginning_.tell());
        expect_next(row.next);
    }
}

TEST_F(BeginningTest, TakesOverOnlyWhatIsNotDeliveredYet) {
    context_.record.request.kind = RotationKind::takeover;
    for (const auto& [phase, next] : {std::pair{Phase::preflight, ChapterName::take_over},
                                      std::pair{Phase::commit, ChapterName::take_over},
                                      std::pair{Phase::roll, ChapterName::resumption}}) {
        context_.record.phase = phase;
        read(beginning_.tell());
        expect_next(next);
    }
}

TEST_F(BeginningTest, DealsWithACompromiseInEveryPhase) {
    context_.record.request.kind = RotationKind::compromise;
    for (const Phase phase : {Phase::preflight, Phase::commit, Phase::roll, Phase::finish}) {
        context_.record.phase = phase;
        read(beginning_.tell());
        expect_next(ChapterName::compromise);
    }
}

TEST_F(BeginningTest, ReturnsToAHoldARefusalOrAnEnd) {
    context_.record.refusal = "one replica only";
    read(beginning_.tell());
    expect_end(Ending::Kind::refused);
    EXPECT_EQ(ending_->text, "one replica only");
    context_.record.refusal.clear();
    context_.record.proven = true;
    read(beginning_.tell());
    expect_next(ChapterName::conclusion);
    context_.record.hold = Hold{HoldReason::denied, "no", "", {}};
    read(beginning_.tell());
    expect_next(ChapterName::hold);
}

TEST_F(BeginningTest, MakesALiftedHoldDurableBeforeAnythingElse) {
    context_.inputs.record = context_.record;
    context_.inputs.retried = true;
    context_.inputs.acknowledged_unit = a;
    context_.record.phase = Phase::soak;
    context_.record.take_overs = 2;
    add_unit(a, UnitStep::verified);
    read(beginning_.tell());
    EXPECT_EQ(asked<SaveRecord>().record.take_overs, 0);
    EXPECT_EQ(asked<SaveRecord>().record.units.front().step, UnitStep::restarting);
    agree<SaveRecord>();
    expect_next(ChapterName::resumption);
    EXPECT_THAT(told(), ElementsAre(EventKind::rotation_resumed));
}

}  // namespace
}  // namespace keyturn
