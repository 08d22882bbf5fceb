#include "rotation/token_watch.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

class TokenWatchTest : public ChapterAlone {
  protected:
    void ask_still_ours() { read(as_text(token_.still_ours())); }
    void follow_if_changed() { read(as_text(token_.follow_if_changed())); }

    static Script<Ending> as_text(Script<bool> script) {
        const bool said = co_await script;
        Ending ending;
        ending.text = said ? "yes" : "no";
        co_return ending;
    }

    void expect_said(const char* word) {
        expect_end(Ending::Kind::done);
        EXPECT_EQ(ending_->text, word);
    }
};

TEST_F(TokenWatchTest, AsksNothingRightAfterTheTokenWasConfirmedAndOnlyThen) {
    token_.note_confirmed();
    ask_still_ours();
    expect_said("yes");
    ask_still_ours();
    show_token(Holder::ours);
    expect_said("yes");
}

TEST_F(TokenWatchTest, DeliversAStrangersTokenBeforeItSaysNo) {
    ask_still_ours();
    show_token(Holder::other);
    show_token(Holder::other);  // keyturnd asks once more before it takes the token over.
    agree<SaveRecord>();
    answer<KeepToken>({"id", "theirs"});
    agree<DeliverToken>();
    pass();
    show_token(Holder::ours);
    EXPECT_EQ(asked<SaveRecord>().record.phase, Phase::roll);
    agree<SaveRecord>();
    expect_said("no");
    EXPECT_THAT(told(), ElementsAre(EventKind::foreign_rotation, EventKind::token_delivered));
}

TEST_F(TokenWatchTest, ConcludesNothingFromAnApiThatDoesNotAnswer) {
    follow_if_changed();
    answer<ReadToken>(no_answer);
    expect_said("no");
    ask_still_ours();
    answer<ReadToken>(no_answer);
    EXPECT_FALSE(ending_) << "before a batch keyturnd has to know";
}

TEST_F(TokenWatchTest, RollsEverythingAgainIfAnOlderRecordOfACompromiseMeetsAnotherToken) {
    context_.record.request.kind = RotationKind::compromise;
    add_unit(a, UnitStep::verified);
    ask_still_ours();
    show_token(Holder::other);
    EXPECT_EQ(context_.record.units.front().step, UnitStep::waiting);
    token_.note_confirmed();
    context_.record.units.front().step = UnitStep::verified;
    follow_if_changed();
    show_token(Holder::other);
    EXPECT_EQ(context_.record.units.front().step, UnitStep::verified)
        << "this keyturnd has seen the unit on our token";
}

TEST_F(TokenWatchTest, DeliversAgainOnlyWhatTheApiHolds) {
    read(token_.resume());
    show_token(Holder::ours);
    agree<DeliverToken>();
    expect_next(ChapterName::window);
}

}  // namespace
}  // namespace keyturn
