#include "agent/findings.hpp"

#include "fakes/samples.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class FindingsTest : public testing::Test {
  protected:
    std::vector<EventKind> told() {
        std::vector<EventKind> kinds;
        for (const Event& event : findings_.take_events()) {
            EXPECT_EQ(event.tunnel_name, "web");
            kinds.push_back(event.kind);
        }
        return kinds;
    }

    [[nodiscard]] std::vector<std::string> sentences() const {
        return findings_.sentences(TunnelState());
    }

    TunnelPolicy policy_ = web_policy();
    Findings findings_{policy_};
};

TEST_F(FindingsTest, TellOfAForeignConnectorThatIsListedTwiceAndOnce) {
    EXPECT_TRUE(findings_.note_foreign({thief})) << "look again soon";
    EXPECT_THAT(told(), IsEmpty()) << "the API's list may be behind";
    EXPECT_FALSE(findings_.note_foreign({thief}));
    EXPECT_THAT(told(), ElementsAre(EventKind::foreign_connector));
    EXPECT_THAT(sentences(), ElementsAre(HasSubstr("thief")));
    EXPECT_FALSE(findings_.note_foreign({thief}));
    EXPECT_THAT(told(), IsEmpty());
    EXPECT_FALSE(findings_.note_foreign({}));
    EXPECT_THAT(told(), ElementsAre(EventKind::finding_ended));
    EXPECT_THAT(sentences(), IsEmpty());
}

TEST_F(FindingsTest, NameFiveForeignConnectorsAndCountTheOthers) {
    std::vector<Connector> crowd;
    for (int i = 0; i < 8; ++i) crowd.push_back(listed("foreign-" + std::to_string(i)));
    static_cast<void>(findings_.note_foreign(crowd));
    static_cast<void>(findings_.note_foreign(crowd));
    EXPECT_THAT(told(), SizeIs(8)) << "each has its alarm";
    EXPECT_THAT(sentences(), SizeIs(6));
    EXPECT_THAT(sentences().back(), HasSubstr("3 more connectors"));
}

TEST_F(FindingsTest, SayNothingOfTheNextRotationWhileOneIsOpen) {
    static_cast<void>(findings_.note_problems({"no rule"}));
    static_cast<void>(findings_.note_problems({"no rule"}));
    EXPECT_THAT(sentences(), SizeIs(1));
    TunnelState open;
    open.rotation.emplace();
    EXPECT_THAT(findings_.sentences(open), IsEmpty());
}

TEST_F(FindingsTest, TellOfAProblemThatDoesNotPass) {
    EXPECT_TRUE(findings_.note_problems({"a unit is starting"}));
    EXPECT_THAT(told(), IsEmpty());
    EXPECT_FALSE(findings_.note_problems({}));
    EXPECT_THAT(told(), IsEmpty()) << "nobody heard of it";
    static_cast<void>(findings_.note_problems({"no rule"}));
    static_cast<void>(findings_.note_problems({"no rule"}));
    EXPECT_THAT(told(), ElementsAre(EventKind::finding_began));
    static_cast<void>(findings_.note_problems({"no rule"}));
    EXPECT_THAT(told(), IsEmpty());
    EXPECT_THAT(sentences(), ElementsAre(HasSubstr("no rule")));
    static_cast<void>(findings_.note_problems({}));
    EXPECT_THAT(told(), ElementsAre(EventKind::finding_ended));
}

TEST_F(FindingsTest, TellOfALookThatFailedOnceForEachReason) {
    findings_.note_look("no route");
    findings_.note_look("no route");
    EXPECT_THAT(told(), ElementsAre(EventKind::drift_unknown));
    findings_.note_look("the token expired");
    EXPECT_THAT(told(), ElementsAre(EventKind::drift_unknown));
    findings_.note_look("");
    EXPECT_THAT(told(), ElementsAre(EventKind::finding_ended));
    findings_.note_look("");
    EXPECT_THAT(told(), IsEmpty());
}

TEST_F(FindingsTest, TellOfAUnitOnAnotherTokenOnceForEachProcess) {
    TunnelState state;
    state.delivered = "new";
    state.starts = {{a, "i-1", "old", true}, {b, "i-2", "new", true}};
    findings_.note_starts(state, {});
    findings_.note_starts(state, {});
    const std::vector<Event> events = findings_.take_events();
    ASSERT_THAT(events, SizeIs(1));
    EXPECT_EQ(events[0].kind, EventKind::token_outdated);
    EXPECT_EQ(events[0].target_unit, a);
    EXPECT_EQ(events[0].fingerprint, "old");
    EXPECT_THAT(findings_.sentences(state), ElementsAre(HasSubstr(a)));
    state.starts[0].invocation = "i-3";
    findings_.note_starts(state, {});
    EXPECT_THAT(told(), ElementsAre(EventKind::token_outdated));
}

TEST_F(FindingsTest, SayWhoRestartsAnOutdatedUnit) {
    policy_.drift.restart = DriftRestart::never;
    TunnelState state;
    state.delivered = "new";
    state.starts = {{a, "i-1", "old", true}};
    findings_.note_starts(state, {});
    EXPECT_THAT(findings_.take_events().front().message, HasSubstr("`systemctl restart " + a));
}

TEST_F(FindingsTest, NameTheHostOfAUnitToRestartIfItIsAnotherOne) {
    findings_.note_starts(TunnelState(), {"alpha/" + a});
    EXPECT_THAT(findings_.take_events().front().message,
                HasSubstr("run `ssh alpha systemctl restart " + a + "` or"));
}

TEST_F(FindingsTest, NameAUnitOfWhichNobodyKnowsTheToken) {
    findings_.note_starts(TunnelState(), {b});
    const std::vector<Event> events = findings_.take_events();
    ASSERT_THAT(events, SizeIs(1));
    EXPECT_EQ(events[0].kind, EventKind::token_unknown);
    EXPECT_EQ(events[0].target_unit, b);
    EXPECT_THAT(sentences(), IsEmpty()) << "it is a note, and no finding";
}

}  // namespace
}  // namespace keyturn
