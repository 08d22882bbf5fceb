#include "rotation/verification.hpp"

#include "fakes/matchers.hpp"
#include "fakes/samples.hpp"
#include "rotation/unit_verifier.hpp"

namespace keyturn {
namespace {

using Standing = UnitVerdict::Standing;

/// A unit that is healthy after our restart.
struct Restarted {
    Restarted() {
        unit.name = a;
        unit.baseline = full;
        unit.step = UnitStep::restarting;
        unit.invocation_before = "old-process";
        unit.connector_before = "old-connector";
        unit.stop_and_start = 45s;
        sample.readiness->tunnel = tunnel_id;
    }

    [[nodiscard]] UnitVerdict verdict() const { return judge_unit(unit, tunnel_id, sample, full); }

    UnitProgress unit;
    SampleUnits::Sample sample = serving("new-process", "new-connector");
};

TEST(Verdict, IsHealthyForANewProcessWithAllConnections) {
    EXPECT_EQ(Restarted().verdict().standing, Standing::healthy);
}

TEST(Serving, CountsOneProcessOnceUnderWhateverNames) {
    SampleUnits::Sample one = Restarted().sample;
    SampleUnits::Sample alias = one;
    alias.state.name = "alias.service";
    SampleUnits::Sample other = one;
    other.state.invocation = "another-process";
    EXPECT_EQ(count_serving({one, alias, other}), 2);
    other.readiness.reset();
    EXPECT_EQ(count_serving({one, alias, other}), 1);
}

TEST(Serving, IsUnknownWhereTwoUnitsReportOneConnector) {
    SampleUnits::Sample one = Restarted().sample;
    SampleUnits::Sample other = one;
    other.state.name = "other.service";
    other.state.invocation = "another-process";
    SampleUnits::Sample third = serving("third-process", "third-connector");
    SampleUnits::Value samples{one, other, third};
    forget_shared_answers(samples);
    EXPECT_EQ(count_unknown(samples), 2);
    EXPECT_TRUE(samples[2].serves());
    EXPECT_NE(samples[0].unasked.find("also answers for other.service"), std::string::npos);
    // Two names of one process are no such case, and neither is a cloudflared without ids.
    other.state.invocation = one.state.invocation;
    third.readiness->connector_id.clear();
    SampleUnits::Sample fourth = third;
    fourth.state.invocation = "fourth-process";
    samples = {one, other, third, fourth};
    forget_shared_answers(samples);
    EXPECT_EQ(count_unknown(samples), 0);
}

TEST(Verdict, TakesTheOldProcessForUnchanged) {
    Restarted restarted;
    restarted.sample.state.invocation = "old-process";
    EXPECT_EQ(restarted.verdict().standing, Standing::unchanged);
}

TEST(Verdict, WaitsForTheConnectorOfTheNewProcess) {
    Restarted restarted;
    restarted.sample.readiness->connector_id = "old-connector";
    EXPECT_EQ(restarted.verdict().standing, Standing::not_yet);
    restarted.sample.readiness->connector_id = "";
    EXPECT_EQ(restarted.verdict().standing, Standing::not_yet);
}

TEST(Verdict, NeverPassesAConnectorOfAnotherTunnel) {
    Restarted restarted;
    restarted.sample.readiness->tunnel = other_tunnel_id;
    EXPECT_EQ(restarted.verdict().standing, Standing::not_yet);
    EXPECT_THAT(restarted.verdict().text, HasSubstr("serves tunnel 00000000"));
}

TEST(Verdict, CountsConnections) {
    Restarted restarted;
    restarted.sample.readiness->connections = full - 1;
    EXPECT_EQ(restarted.verdict().standing, Standing::not_yet);
    EXPECT_EQ(restarted.verdict().text, "3 of 4 connections");
    restarted.sample.readiness->connections = full;
    restarted.sample.readiness->serving = false;
    EXPECT_EQ(restarted.verdict().standing, Standing::not_yet);
}

TEST(Verdict, IsUnknownWhereTheConnectorCannotBeAsked) {
    Restarted restarted;
    restarted.sample.readiness.reset();
    restarted.sample.unasked = "it has a network namespace of its own";
    EXPECT_EQ(restarted.verdict().standing, Standing::unknown);
    EXPECT_EQ(restarted.verdict().text,
              "active/running, cannot ask /ready: it has a network namespace of its own");
}

TEST(Verdict, DoesNotPassAStateThatItDoesNotKnow) {
    struct Case {
        const char* active;
        const char* sub;
    };
    for (const Case& unknown : {Case{"active", "frobnicating"}, Case{"refreshing", "running"},
                                Case{"", ""}, Case{"maintenance", "dead"}}) {
        Restarted restarted;
        restarted.sample.state.active_state = unknown.active;
        restarted.sample.state.sub_state = unknown.sub;
        EXPECT_EQ(restarted.verdict().standing, Standing::not_yet) << unknown.active;
    }
}

TEST(Verdict, NamesTheRemedyForAUnitThatWasMasked) {
    Restarted restarted;
    restarted.sample.state.load_state = "masked";
    EXPECT_EQ(restarted.verdict().standing, Standing::not_yet);
    EXPECT_THAT(restarted.verdict().text, HasSubstr("systemctl unmask"));
}

TEST(Verdict, IsDeadOnlyWhenNobodyWillStartIt) {
    for (const char* state : {"failed", "inactive"}) {
        Restarted restarted;
        restarted.sample.state.active_state = state;
        EXPECT_EQ(restarted.verdict().standing, Standing::dead) << state;
        restarted.sample.state.job_pending = true;
        EXPECT_EQ(restarted.verdict().standing, Standing::not_yet) << state;
    }
    Restarted restarted;
    restarted.sample.state.active_state = "activating";
    restarted.sample.state.sub_state = "auto-restart";
    EXPECT_EQ(restarted.verdict().standing, Standing::not_yet);
}

/// A verifier of that unit, with its own clock.
struct Watched : Restarted {
    void look_after(Milliseconds pause) {
        now += pause;
        verifier.look(sample, now);
    }

    BootTime now{1h};
    TunnelPolicy policy = web_policy();
    UnitVerifier verifier{unit, policy, now};
};

TEST(UnitVerifier, IsSteadyAfterTheMinimumHealthyTimeOnly) {
    Watched watched;
    watched.look_after(1s);
    watched.look_after(9s);
    EXPECT_FALSE(watched.verifier.steady());
    watched.look_after(1s);
    EXPECT_TRUE(watched.verifier.steady());
}

TEST(UnitVerifier, CountsAnewForAnotherProcess) {
    Watched watched;
    watched.look_after(1s);
    watched.sample.state.invocation = "yet-another-process";
    watched.look_after(10s);
    EXPECT_FALSE(watched.verifier.steady());
}

TEST(UnitVerifier, CountsAnewAfterNothingCouldBeSeen) {
    Watched watched;
    watched.look_after(1s);
    watched.look_after(115s);
    ASSERT_TRUE(watched.verifier.steady());
    watched.verifier.begin_anew(watched.now);
    EXPECT_FALSE(watched.verifier.steady());
    watched.sample.readiness.reset();
    watched.look_after(10s);
    EXPECT_FALSE(watched.verifier.hopeless()) << "the deadline begins anew, too";
}

TEST(UnitVerifier, GivesUpAtTheDeadlineButNotOnWhatIsAlmostSteady) {
    Watched late;
    late.sample.readiness->connections = 0;
    late.look_after(2min);
    EXPECT_TRUE(late.verifier.hopeless());

    Watched almost;
    almost.look_after(115s);
    almost.look_after(6s);
    EXPECT_FALSE(almost.verifier.hopeless());
    almost.look_after(5s);
    EXPECT_TRUE(almost.verifier.steady());
}

TEST(UnitVerifier, DoesNotGiveUpOnWhatCannotBeAskedRightAtTheDeadline) {
    Watched watched;
    watched.sample.readiness->connections = 0;
    watched.look_after(119s);
    watched.sample.readiness.reset();
    watched.look_after(2s);
    EXPECT_TRUE(watched.verifier.late());
    EXPECT_FALSE(watched.verifier.hopeless()) << "it may serve by now";
}

TEST(UnitVerifier, WaitsForTheUnitsOwnTimeoutsWhenTheyAreLonger) {
    Watched watched;
    watched.unit.stop_and_start = 5min;
    UnitVerifier patient(watched.unit, watched.policy, watched.now);
    EXPECT_EQ(patient.allowed(), 5min);
}

TEST(UnitVerifier, TakesOneConnectionLessAtTheDeadlineOnly) {
    Watched watched;
    watched.sample.readiness->connections = full - 1;
    watched.look_after(1min);
    watched.look_after(20s);
    EXPECT_FALSE(watched.verifier.steady());
    watched.look_after(40s);
    watched.look_after(10s);
    EXPECT_TRUE(watched.verifier.steady());
    EXPECT_TRUE(watched.verifier.short_of_connections());
}

}  // namespace
}  // namespace keyturn
