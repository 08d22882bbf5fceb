#include "fakes/schedules.hpp"
#include "unit/waves/wave_hosts.hpp"

namespace keyturn {
namespace {

using Restarts = std::array<int, 3>;

TEST_F(WaveHostsTest, ARotationGoesOverAllHostsInTheirOrder) {
    start_serving();
    const std::string before = first_.units.api_token_text();
    rotate();
    ASSERT_TRUE(run_until([&] { return first_.unit().restarts == 1; }));
    EXPECT_EQ(restarts(), (Restarts{1, 0, 0}));
    EXPECT_EQ(second_.file(), first_.file()) << "the others have the new token by then";
    EXPECT_EQ(third_.file(), first_.file());
    ASSERT_TRUE(run_until([&] { return second_.unit().restarts == 1; }));
    EXPECT_EQ(restarts(), (Restarts{1, 1, 0}));
    ASSERT_TRUE(run_until_done(before));
    EXPECT_EQ(restarts(), (Restarts{1, 1, 1}));
    for (WaveHost* host : hosts_) {
        EXPECT_EQ(host->history().size(), 1U) << host->name;
        EXPECT_EQ(host->findings(), "") << host->name;
    }
}

/// More often in a day than somebody else may change a token.
TEST_F(WaveHostsTest, RotatesAgainAndAgain) {
    for (WaveHost* host : hosts_) host->policy.schedule.min_interval = 0ms;
    start_serving();
    for (int rotation = 1; rotation <= 4; ++rotation) {
        const std::string before = first_.units.api_token_text();
        rotate();
        ASSERT_TRUE(run_until_done(before)) << rotation;
        EXPECT_EQ(restarts(), (Restarts{rotation, rotation, rotation}));
    }
}

TEST_F(WaveHostsTest, AHostThatFollowsRaisesNoAlarmAndTellsARestartWhenItIsMade) {
    start_serving();
    const std::string before = first_.units.api_token_text();
    rotate();
    ASSERT_TRUE(run_until([&] { return third_.log.told(EventKind::token_delivered); }));
    const std::vector<Event>& told = third_.log.events;
    const auto changed = std::ranges::find(told, EventKind::foreign_rotation, &Event::kind);
    ASSERT_NE(changed, told.end());
    EXPECT_EQ(changed->priority, Priority::notice);
    EXPECT_THAT(changed->message, HasSubstr("as it does when host-1 rotates it"));
    pass(1min);
    EXPECT_FALSE(third_.log.told(EventKind::unit_restarting));
    EXPECT_THAT(third_.place->status().reason, HasSubstr("host-1 comes first"));
    ASSERT_TRUE(run_until_done(before));
    EXPECT_EQ(third_.log.count(EventKind::unit_restarting), 1U);
    EXPECT_EQ(third_.log.count(EventKind::rotation_waiting), 1U);
    EXPECT_EQ(third_.log.count(EventKind::rotation_continued), 1U);
    EXPECT_TRUE(std::ranges::none_of(told, [](const Event& event) {
        return event.priority < Priority::notice;
    })) << "nothing here is out of the ordinary";
}

TEST_F(WaveHostsTest, OnlyTheFirstHostRotates) {
    start_serving();
    const Result<void> asked = second_.place->request_rotation({});
    ASSERT_FALSE(asked);
    EXPECT_EQ(asked.error().text,
              "host-1 rotates web: run this command there. If that host is gone, make another one "
              "the first of `hosts`, on all hosts");
    second_.policy.schedule.every = 1h;
    second_.stop();
    second_.start();
    EXPECT_EQ(second_.place->status().due, std::nullopt) << "its schedule is for the first host";
}

TEST_F(WaveHostsTest, WhatWouldHarmTheOthersIsRefused) {
    start_serving();
    const Result<void> all =
        first_.place->request_rotation({.kind = RotationKind::compromise, .evict_all = true});
    ASSERT_FALSE(all);
    EXPECT_THAT(all.error().text, HasSubstr("would also drop the connectors of the other hosts"));
    rotate();
    const Result<void> back = first_.place->decide(Decision::revert);
    ASSERT_FALSE(back);
    EXPECT_THAT(back.error().text, HasSubstr("no rotation can be reverted"));
    EXPECT_FALSE(first_.place->status().can_revert);
}

TEST_F(WaveHostsTest, DoesNotRotateWhileAnotherHostDoesNotServe) {
    start_serving();
    third_.unit().connected = false;
    rotate();
    ASSERT_TRUE(run_until([&] { return first_.log.told(EventKind::rotation_refused); }));
    EXPECT_THAT(first_.log.message(EventKind::rotation_refused),
                HasSubstr("Cloudflare lists 0 of 1 connectors of host-3: repair that host first"));
    EXPECT_EQ(first_.units.secrets_sent.size(), 0U) << "nothing was touched";
}

TEST_F(WaveHostsTest, AHostThatDiesInTheMiddleIsNamedAndNothingMoreRestarts) {
    start_serving();
    rotate();
    ASSERT_TRUE(run_until([&] { return first_.unit().restarts == 1; }));
    second_.stop();
    second_.unit().connected = false;
    ASSERT_TRUE(run_until_held(third_));
    EXPECT_EQ(restarts(), (Restarts{1, 0, 0}));
    EXPECT_THAT(
        third_.place->status().reason,
        HasSubstr("host-2 comes first: 0 of 1 connectors there are known to have the new token"));
}

/// The policy names it no longer, on all hosts.
TEST_F(WaveHostsTest, AHostThatIsGoneForEverIsRemovedFromThePolicy) {
    start_serving();
    rotate();
    ASSERT_TRUE(run_until([&] { return first_.unit().restarts == 1; }));
    second_.stop();
    second_.unit().connected = false;
    second_.unit().state.active_state = "inactive";
    pass(10min);
    for (WaveHost* host : {&first_, &third_}) {
        EXPECT_TRUE(host->place->takes_a_new_policy());
        std::erase_if(host->policy.coordinator->hosts,
                      [](const KnownHost& known) { return known.host == "host-2"; });
        host->stop();
        host->start();
    }
    EXPECT_TRUE(run_until([&] { return third_.up_to_date() && first_.up_to_date(); }));
    EXPECT_EQ(restarts(), (Restarts{1, 0, 1}));
}

TEST_F(WaveHostsTest, AHostThatWasDownForTheChangeFollowsAtOnceWhenItIsBack) {
    start_serving();
    const std::string before = first_.units.api_token_text();
    rotate();
    ASSERT_TRUE(run_until([&] { return first_.units.api_token_text() != before; }));
    third_.stop();
    third_.unit().connected = false;
    third_.unit().state.active_state = "inactive";
    pass(1h);
    third_.units.start_units();  // With the old token: it gets no connection.
    third_.start();
    ASSERT_TRUE(run_until([&] { return third_.up_to_date(); }, 10min));
    ASSERT_TRUE(run_until_done(before));
    // And the next rotation is an ordinary one.
    pass(25h);
    const std::string second = first_.units.api_token_text();
    rotate();
    EXPECT_TRUE(run_until_done(second));
}

TEST_F(WaveHostsTest, EveryKeyturndMayDieAtAnyTime) {
    start_serving();
    const std::string before = first_.units.api_token_text();
    rotate();
    for (int i = 0; i < 60; ++i) {
        WaveHost& host = *hosts_[static_cast<std::size_t>(i % count)];
        host.stop();
        host.start();
        pass(i % 7 == 0 ? 5min : 20s);
    }
    EXPECT_TRUE(run_until_done(before));
    for (const int times : restarts()) EXPECT_LE(times, 2);
}

/// The first host is long done when it goes on.
TEST_F(WaveHostsTest, AHostThatWasPausedMeanwhileFollows) {
    start_serving();
    rotate();
    ASSERT_TRUE(run_until([&] { return third_.log.told(EventKind::token_delivered); }));
    ASSERT_TRUE(third_.place->decide(Decision::pause));
    ASSERT_TRUE(run_until([&] { return second_.up_to_date(); }, 2h));
    pass(1h);
    EXPECT_EQ(third_.unit().restarts, 0);
    ASSERT_TRUE(third_.place->decide(Decision::resume));
    EXPECT_TRUE(run_until([&] { return third_.up_to_date(); }, 5min));
}

TEST_F(WaveHostsTest, AHostThatFollowsWaitsForNoWindowOfItsOwn) {
    second_.policy.schedule.windows = {window("*-01-01 02:00", 1h)};
    start_serving();
    const std::string before = first_.units.api_token_text();
    rotate();
    EXPECT_TRUE(run_until_done(before, 1h));
}

TEST_F(WaveHostsTest, RotatesWhileCloudflareAnswersSlowly) {
    cloud_.takes = 1500ms;
    start_serving();
    const std::string before = first_.units.api_token_text();
    rotate();
    EXPECT_TRUE(run_until_done(before));
    for (WaveHost* host : hosts_) EXPECT_EQ(host->log.count(EventKind::unit_restarting), 1U);
}

TEST_F(WaveHostsTest, ATokenThatIsReplacedInTheMiddleIsNoSecondAuthorOnTheHostThatReplacesIt) {
    start_serving();
    rotate();
    ASSERT_TRUE(run_until([&] { return third_.log.told(EventKind::token_delivered); }));
    rotate({.kind = RotationKind::compromise});
    EXPECT_TRUE(run_until([&] { return first_.unit().restarts == 1; }));
    ASSERT_TRUE(run_until_held(third_)) << "it may have been somebody else";
    EXPECT_THAT(third_.place->status().reason, HasSubstr("If it was replaced as compromised on "
                                                         "host-1, run `keyturnctl retry web`"));
}

TEST_F(WaveHostsTest, ASecondChangeIsDeliveredAndHeldForAPerson) {
    start_serving();
    rotate();
    ASSERT_TRUE(run_until([&] { return third_.log.told(EventKind::token_delivered); }));
    for (WaveHost* host : hosts_) host->units.rotate_by_somebody_else('x');
    for (WaveHost* host : hosts_) {
        ASSERT_TRUE(run_until_held(*host)) << host->name;
        EXPECT_EQ(host->file(), host->units.api_token_text()) << host->name;
        EXPECT_THAT(host->place->status().reason, HasSubstr("the token changed again"));
    }
    EXPECT_EQ(restarts(), (Restarts{0, 0, 0}));
    for (WaveHost* host : hosts_) ASSERT_TRUE(host->place->decide(Decision::retry));
    EXPECT_TRUE(run_until([&] { return third_.up_to_date() && first_.up_to_date(); }));
}

/// The heart looks at the token every 30 seconds; in between a restart would take a unit down.
TEST_F(WaveHostsTest, NoUnitRestartsWithATokenThatWasReplacedRightBefore) {
    start_serving();
    rotate();
    ASSERT_TRUE(run_until([&] { return third_.log.told(EventKind::token_delivered); }));
    ASSERT_TRUE(run_until([&] { return second_.unit().restarts == 1; }));
    for (WaveHost* host : hosts_) host->units.rotate_by_somebody_else('x');
    ASSERT_TRUE(run_until_held(third_));
    EXPECT_EQ(third_.unit().restarts, 0);
}

TEST_F(WaveHostsTest, AConnectorThatDoesNotLookLikeOursKeepsTheTokenFromChanging) {
    first_.units.address = "198.51.100.1";
    start_serving();
    pass(16min);
    EXPECT_THAT(first_.findings(),
                HasSubstr("Cloudflare shows the connector of " + a + " with address 198.51.100.1"));
    rotate();
    ASSERT_TRUE(run_until([&] { return first_.log.told(EventKind::rotation_refused); }));
    EXPECT_EQ(first_.units.secrets_sent.size(), 0U);
    EXPECT_THAT(second_.findings(), HasSubstr("Cloudflare lists 0 of 1 connectors of host-1"));
}

/// It would drop the connectors of the other hosts as unknown ones.
TEST_F(WaveHostsTest, ACompromiseIsHeldWhereConnectorsDoNotLookLikeTheirHosts) {
    first_.units.address = "198.51.100.1";
    start_serving();
    rotate({.kind = RotationKind::compromise});
    ASSERT_TRUE(run_until_held(first_));
    EXPECT_THAT(first_.place->status().reason, HasSubstr("with address 198.51.100.1"));
    EXPECT_EQ(first_.units.secrets_sent.size(), 0U);
    for (WaveHost* host : hosts_) EXPECT_THAT(host->units.evicted, IsEmpty());
}

TEST_F(WaveHostsTest, ACompromiseDropsStrangersAndNoConnectorOfAnotherHost) {
    start_serving();
    first_.units.strangers = {{"thief", "203.0.113.66", "", "", 4}};
    const std::string before = first_.units.api_token_text();
    rotate({.kind = RotationKind::compromise});
    ASSERT_TRUE(run_until([&] { return !first_.units.evicted.empty(); }, 2min));
    EXPECT_TRUE(run_until_done(before));
    for (WaveHost* host : hosts_) EXPECT_THAT(host->units.evicted, ElementsAre("thief"));
}

TEST_F(WaveHostsTest, SaysThatAnotherHostDoesNotFollow) {
    start_serving();
    third_.stop();
    rotate();
    ASSERT_TRUE(run_until([&] { return first_.up_to_date() && second_.up_to_date(); }));
    EXPECT_EQ(first_.findings(), "") << "it may be about to restart";
    pass(3h);
    EXPECT_THAT(first_.findings(), HasSubstr("0 of 1 connectors of host-3 are known to have the "
                                             "new token: look at keyturnd there"));
    third_.start();
    ASSERT_TRUE(run_until_held(third_)) << "it has not seen the others restart";
    ASSERT_TRUE(third_.place->decide(Decision::retry));
    ASSERT_TRUE(run_until([&] { return third_.up_to_date(); }));
    pass(16min);
    EXPECT_EQ(first_.findings(), "");
}

TEST_F(WaveHostsTest, TheOthersSayThatTheFirstHostDoesNotRotate) {
    for (WaveHost* host : hosts_) {
        host->policy.schedule.every = 24h;
        host->policy.drift.interval = 1h;
        host->policy.drift.units_interval = 1h;
    }
    start_serving();
    const std::string before = first_.units.api_token_text();
    ASSERT_TRUE(run_until_done(before, 3 * 24h)) << "by its schedule";
    EXPECT_EQ(second_.findings(), "");
    first_.stop();
    pass(9 * 24h);
    EXPECT_THAT(second_.findings(), HasSubstr("look at host-1, which rotates it"));
}

TEST_F(WaveHostsTest, SaysThatThePolicyDoesNotNameThisHost) {
    third_.name = "elsewhere";
    third_.start();
    pass(1min);
    EXPECT_EQ(third_.file(), "") << "it does nothing";
    EXPECT_THAT(third_.findings(), HasSubstr("`hosts` does not name this host, elsewhere"));
    EXPECT_FALSE(third_.place->request_rotation({}));
    EXPECT_THAT(third_.place->describe(), HasSubstr("`hosts` does not name this host"));
}

}  // namespace
}  // namespace keyturn
