#include "rotation/token_handover.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

class TokenHandoverTest : public ChapterAlone {
  protected:
    void send(bool ask_first) { read(sending(ask_first)); }

    /// The ending's text says whether an answer carried our token.
    Script<Ending> sending(bool ask_first) {
        const bool answered = co_await handover_.send(ask_first);
        Ending ending;
        ending.text = answered ? "answered" : "";
        co_return ending;
    }
};

TEST_F(TokenHandoverTest, SendsAtOnceIfNothingWasSentBefore) {
    context_.now += 5s;
    send(false);
    answer<CommitSecret>({true});
    expect_end(Ending::Kind::done);
    EXPECT_EQ(ending_->text, "answered");
    EXPECT_EQ(handover_.taken_at(), context_.now);
    EXPECT_THAT(told(), Contains(EventKind::secret_committed));
}

TEST_F(TokenHandoverTest, AsksWhatBecameOfASecretWhoseAnswerWasLost) {
    send(false);
    answer<CommitSecret>(answer_lost);
    pass();
    show_token(Holder::ours);
    expect_end(Ending::Kind::done);
    EXPECT_EQ(ending_->text, "") << "no answer carried it";
}

TEST_F(TokenHandoverTest, SendsTheSameSecretAgainIfItWasNotTaken) {
    send(true);
    show_token(Holder::previous);
    answer<CommitSecret>(no_answer);
    pass();
    show_token(Holder::previous);
    answer<CommitSecret>({false});
    expect_end(Ending::Kind::done);
}

TEST_F(TokenHandoverTest, IsRefusedIfNothingWasSentAndHeldIfSomethingMayHaveBeen) {
    send(false);
    answer<CommitSecret>(no_right);
    expect_end(Ending::Kind::refused);
    send(true);
    show_token(Holder::previous);
    answer<CommitSecret>(no_right);
    expect_held(HoldReason::denied);
}

TEST_F(TokenHandoverTest, GivesWayToAStrangersSecret) {
    send(true);
    show_token(Holder::other);
    agree<SaveRecord>();
    EXPECT_EQ(asked<KeepToken>().fingerprint, "theirs");
    answer<KeepToken>({"id", "theirs"});
    expect_end(Ending::Kind::done);
    EXPECT_EQ(context_.record.new_fingerprint, "theirs");
}

TEST_F(TokenHandoverTest, GivesWayToNobodyAfterACompromise) {
    context_.record.request.kind = RotationKind::compromise;
    send(true);
    show_token(Holder::other, "the thief's");
    answer<CommitSecret>({false});
    expect_end(Ending::Kind::done);
    EXPECT_FALSE(context_.record.foreign);
}

TEST_F(TokenHandoverTest, TrustsThePatchAnswerOnlyIfTheApiIsDown) {
    read_part(handover_.confirm(true));
    answer<ReadToken>(no_answer);
    expect_end(Ending::Kind::done);
    read_part(handover_.confirm(true));
    show_token(Holder::previous);
    EXPECT_FALSE(ending_) << "an API that answers has to show the new token";
    read_part(handover_.confirm(false));
    answer<ReadToken>(no_answer);
    EXPECT_FALSE(ending_);
}

TEST_F(TokenHandoverTest, PutsTheOldTokenBackIfCloudflareKeepsShowingIt) {
    add_unit(a, UnitStep::verified);
    read_part(handover_.confirm(false));
    const BootTime begin = context_.now;
    keep_answering<ReadToken>(ReadToken::Value{Holder::previous, "old", {}});
    EXPECT_GE(context_.now - begin, 120s);
    EXPECT_EQ(asked<SaveRecord>().record.units.front().step, UnitStep::waiting);
    agree<SaveRecord>();
    agree<PutBackToken>();
    expect_held(HoldReason::secret_not_taken);
    EXPECT_THAT(ending_->text, HasSubstr("Terraform"));
}

TEST_F(TokenHandoverTest, AnOutageDoesNotCountAsShowingTheOldToken) {
    read_part(handover_.confirm(false));
    for (int minute = 0; minute < 10; ++minute) {
        answer<ReadToken>(no_answer);
        context_.now += 1min;
        pass();
        show_token(Holder::previous);
        pass();
    }
    EXPECT_FALSE(ending_);
    EXPECT_THAT(told(), Not(Contains(EventKind::token_put_back)));
}

TEST_F(TokenHandoverTest, DeliversAgainOverWhatSomebodyElseHasWritten) {
    read_part(handover_.keep_file());
    show_file();
    expect_end(Ending::Kind::done);
    EXPECT_THAT(told(), IsEmpty());
    read_part(handover_.keep_file());
    show_file("");
    agree<DeliverToken>();
    expect_end(Ending::Kind::done);
    EXPECT_THAT(told(), ElementsAre(EventKind::token_file_changed, EventKind::token_delivered));
}

}  // namespace
}  // namespace keyturn
