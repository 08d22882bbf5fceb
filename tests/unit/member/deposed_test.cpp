#include "unit/member/lead_fixture.hpp"

namespace keyturn {
namespace {

class Deposed : public LeadExecutorTest {
  protected:
    template <class Asked>
    void expect_the_end_of(Asked question) {
        const FleetDocument before = object_.document();
        EXPECT_FALSE(begin(std::move(question), 1h)) << "it has to be ended from outside";
        EXPECT_EQ(deposed_, 1);
        EXPECT_FALSE(leading_.lead);
        EXPECT_EQ(object_.document(), before);
        EXPECT_THAT(cloud_.secrets_sent, IsEmpty());
        EXPECT_THAT(cloud_.evicted, IsEmpty());
    }
};

TEST_F(Deposed, WritesNothing) {
    lead();
    object_.change(host_takes_over());
    RotationRecord record = small_record();
    record.phase = Phase::soak;
    expect_the_end_of(SaveRecord{record});
}

TEST_F(Deposed, DoesNotEndTheRotation) {
    lead();
    object_.change(host_takes_over());
    expect_the_end_of(Conclude{sample_entry(fleet_rotation)});
}

TEST_F(Deposed, GrantsNothing) {
    lead();
    sample();
    object_.change(host_takes_over());
    RestartUnit wish;
    wish.unit = unit_of(2);
    wish.deadline = 60s;
    wish.not_after = clock_.boot_now() + 10s;
    expect_the_end_of(wish);
}

TEST_F(Deposed, SendsNothingAfterItWasStoppedForAWhile) {
    lead(prepared());
    object_.change(host_takes_over());
    clock_.suspend(31s);
    expect_the_end_of(CommitSecret());
}

TEST_F(Deposed, DropsNoConnectorAfterItWasStoppedForAWhile) {
    lead();
    object_.change(host_takes_over());
    clock_.suspend(31s);
    expect_the_end_of(EvictConnector{thief.id});
}

TEST_F(Deposed, WaitsForNoTurn) {
    lead();
    after(3s, host_takes());
    after(5s, host_takes_over());
    after(9s, host_ends(RestartResult(JobResult::done)));
    sample();
    RestartUnit wish;
    wish.unit = unit_of(2);
    wish.deadline = 60s;
    wish.not_after = clock_.boot_now() + 10s;
    EXPECT_FALSE(begin(wish, 1h));
    EXPECT_EQ(deposed_, 1);
    ASSERT_THAT(turns(), SizeIs(1)) << "the host that leads now reads the result";
}

// --- An object that cannot be used ---------------------------------------------------------------

class UselessObject : public LeadExecutorTest {
  protected:
    void expect_nothing_sent() {
        clock_.suspend(31s);
        const auto sent = ask(CommitSecret());
        ASSERT_FALSE(sent);
        EXPECT_TRUE(passes_by_itself(sent.error().fault)) << sent.error().text;
        EXPECT_THAT(cloud_.secrets_sent, IsEmpty());
        const auto saved = ask(SaveRecord{*state_.rotation});
        ASSERT_TRUE(saved || passes_by_itself(saved.error().fault)) << "it waits, without a hold";
        EXPECT_EQ(deposed_, 0);
    }
};

TEST_F(UselessObject, GarbledSendsNothing) {
    lead(prepared());
    object_.put(std::string("garbage"));
    expect_nothing_sent();
}

TEST_F(UselessObject, ForgedSendsNothing) {
    lead(prepared());
    std::string forged = *object_.text;
    forged.replace(forged.find("\"rev\":10"), 8, "\"rev\":99");
    object_.put(forged);
    expect_nothing_sent();
}

TEST_F(UselessObject, OlderThanTheNewestSendsNothing) {
    FleetDocument document = prepared();
    lead(document);
    --document.rev;
    object_.put(document);
    expect_nothing_sent();
}

TEST_F(UselessObject, DeletedSendsNothing) {
    lead(prepared());
    object_.remove();
    expect_nothing_sent();
    EXPECT_FALSE(object_.text) << "nobody creates it";
}

TEST_F(UselessObject, OutOfReachSendsNothing) {
    lead(prepared());
    object_.down = no_answer;
    expect_nothing_sent();
}

}  // namespace
}  // namespace keyturn
