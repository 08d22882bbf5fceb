#include "rotation/preflight.hpp"

#include "fakes/matchers.hpp"
#include "fakes/samples.hpp"

namespace keyturn {
namespace {

/// Facts with nothing wrong: two units that serve.
class JudgedPreflight : public testing::Test {
  protected:
    JudgedPreflight() {
        add(a);
        add(b);
    }

    void add(const std::string& name, bool surge = false) {
        facts_.units.push_back({name, std::nullopt, 45s, surge});
        facts_.samples.push_back(surge ? stopped(name)
                                       : serving("process of " + name, "of " + name, name));
        if (surge) return;
        facts_.samples.back().readiness->tunnel = tunnel_id;
        facts_.connectors.push_back(listed("of " + name));
    }

    void stop_unit(std::size_t index) {
        facts_.samples[index] = stopped(facts_.samples[index].state.name);
        facts_.connectors.clear();
    }

    [[nodiscard]] std::vector<std::string> problems(bool scheduled = false) {
        return judge_preflight(policy_, false, scheduled, facts_);
    }

    TunnelPolicy policy_ = web_policy();
    PreflightFacts facts_;
};

TEST_F(JudgedPreflight, FindsNothingWrong) {
    EXPECT_THAT(problems(true), IsEmpty());
}

TEST_F(JudgedPreflight, TellsNobodyToRewriteAUnitOfAnotherTunnel) {
    facts_.units[0].problem = "as root run: mkdir";
    facts_.samples[0].readiness->tunnel = other_tunnel_id;
    EXPECT_THAT(problems(),
                ElementsAre(AllOf(HasSubstr("serves tunnel 00000000-"), Not(HasSubstr("mkdir")))));
    // A cloudflared before 2024.12 does not say its tunnel; the API lists those of this one.
    facts_.samples[0].readiness->tunnel.clear();
    facts_.connectors.erase(facts_.connectors.begin());
    EXPECT_THAT(problems(), ElementsAre(AllOf(HasSubstr("may belong to another tunnel"),
                                              Not(HasSubstr("mkdir")))));
    facts_.connectors.push_back(listed("of " + a));
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("mkdir")));
}

TEST_F(JudgedPreflight, RefusesACloudflaredWithoutTokenFile) {
    facts_.units[0].problem = "as root run: mkdir";
    facts_.connectors[0].version = "2025.2.1";
    EXPECT_THAT(problems(), ElementsAre(AllOf(HasSubstr("runs cloudflared 2025.2.1"),
                                              HasSubstr("2025.4.0"), Not(HasSubstr("mkdir")))));
    for (const char* version : {"2025.4.0", "2025.10.1", "2026.8.2", "DEV", ""})
        EXPECT_FALSE(lacks_token_file(version)) << version;
    for (const char* version : {"2022.11.0", "2024.12.2", "2025.3.9"})
        EXPECT_TRUE(lacks_token_file(version)) << version;
}

TEST_F(JudgedPreflight, LeavesOutWhatIsPassedOver) {
    PreflightFacts facts;
    InspectUnits::Unit passed{"cloudflared-update.service", std::nullopt, 45s};
    passed.passed_over = true;
    passed.findings = {"it is passed over"};
    InspectUnits::Unit noted{a, std::nullopt, 45s};
    noted.findings = {"look at it"};
    facts.take_units({passed, noted});
    ASSERT_EQ(facts.units.size(), 1U);
    EXPECT_EQ(facts.units[0].name, a);
    EXPECT_THAT(facts.findings,
                ElementsAre("cloudflared-update.service: it is passed over", a + ": look at it"));
}

TEST_F(JudgedPreflight, RefusesTheTokenFileOfAnotherTunnel) {
    facts_.files.other_tunnel = true;
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("the token of another tunnel")));
}

TEST_F(JudgedPreflight, RefusesAWrongClockOfAScheduleAlone) {
    facts_.token.clock_ahead = 6min;
    EXPECT_THAT(problems(true), ElementsAre(HasSubstr("clock is 6m ahead of the API's")));
    facts_.token.clock_ahead = -6min;
    EXPECT_THAT(problems(true), ElementsAre(HasSubstr("clock is 6m behind the API's")));
    EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(JudgedPreflight, RefusesWhatPolkitDoesNotAllow) {
    add(extra, true);
    facts_.units[1].problem = "is wrong";
    facts_.units[1].not_allowed = "polkit says no";
    facts_.units[2].not_allowed = "nor this";
    EXPECT_THAT(problems(),
                ElementsAre(b + ": is wrong", b + ": polkit says no", extra + ": nor this"));
}

TEST_F(JudgedPreflight, RefusesAUnitThatIsNotThere) {
    facts_.samples[0].state.load_state = "masked";
    EXPECT_THAT(problems(), ElementsAre(HasSubstr(a + " is masked")));
    facts_.samples[0].state.load_state = "";
    EXPECT_THAT(problems(), ElementsAre(HasSubstr(a + " is unknown to systemd")));
}

TEST_F(JudgedPreflight, RefusesAUnitWithoutConnectionAndSaysHowItIsKnown) {
    facts_.samples[0].readiness->connections = 0;
    EXPECT_THAT(problems(), ElementsAre(HasSubstr("(/ready says 0)")));
}

TEST_F(JudgedPreflight, NamesWhyAUnitCannotBeAskedAndConcludesNothingFromIt) {
    for (SampleUnits::Sample& sample : facts_.samples) {
        sample.readiness.reset();
        sample.unasked = "no file descriptor is left";
    }
    EXPECT_THAT(problems(), Contains(a + ": cannot ask /ready: no file descriptor is left"));
    EXPECT_THAT(problems(), Not(Contains(HasSubstr("no connection"))));
    EXPECT_THAT(problems(), Not(Contains(HasSubstr("no unit of this tunnel serves"))));
}

TEST_F(JudgedPreflight, RefusesAUnitOfAnotherTunnelButNotOneThatDoesNotSay) {
    facts_.samples[0].readiness->tunnel = "0b1a7c6e";
    EXPECT_THAT(problems(), ElementsAre(HasSubstr(a + " serves tunnel 0b1a7c6e")));
    facts_.samples[0].readiness->tunnel.clear();
    EXPECT_THAT(problems(), IsEmpty());
}

TEST_F(JudgedPreflight, RefusesATunnelOfWhichNothingServes) {
    stop_unit(0);
    stop_unit(1);
    EXPECT_THAT(problems(), ElementsAre("no unit of this tunnel serves: start one first"));
}

TEST_F(JudgedPreflight, OffersWhatWouldHelpWhereTooFewServe) {
    policy_.rollout.min_available = 2;
    EXPECT_THAT(problems(), ElementsAre(AllOf(HasSubstr("only 2 units are serving"),
                                              HasSubstr("keyturnctl surge web"))));
    policy_.rollout.surge = SurgeUse::never;
    EXPECT_THAT(problems(), ElementsAre(Not(HasSubstr("keyturnctl surge"))));
    policy_.rollout.surge = SurgeUse::automatic;
    add(extra, true);
    EXPECT_THAT(problems(), IsEmpty()) << "one more is enough";
    policy_.rollout.min_available = 3;
    EXPECT_THAT(problems(), ElementsAre(Not(HasSubstr("keyturnctl surge"))))
        << "it is there already";
}

TEST_F(JudgedPreflight, DescribesAConnectorByWhatIsKnownOfIt) {
    EXPECT_EQ(describe(Connector{"x", "192.0.2.9", "2026-11-24T06:50:54Z", "", 4}),
              "connector x from 192.0.2.9 since 2026-11-24T06:50:54Z");
    EXPECT_EQ(describe(Connector{"x", "", "", "", 4}),
              "connector x from an unknown address since an unknown time");
}

TEST_F(JudgedPreflight, PlansNoBatchWhereNothingRuns) {
    stop_unit(0);
    stop_unit(1);
    const std::vector<UnitProgress> plan = plan_units(policy_, facts_);
    ASSERT_EQ(plan.size(), 2U);
    EXPECT_EQ(plan[0].batch, 0);
    EXPECT_EQ(plan[0].step, UnitStep::listed);
}

TEST_F(JudgedPreflight, PlansNoTurnForAnExtraUnitThatRuns) {
    add(extra, true);
    facts_.samples[2].state = running(extra, "by somebody else");
    const std::vector<UnitProgress> plan = plan_units(policy_, facts_);
    EXPECT_EQ(plan[2].step, UnitStep::listed);
    EXPECT_EQ(plan[2].batch, 0);
    EXPECT_EQ(plan[2].baseline, 4) << "as good as the best";
}

}  // namespace
}  // namespace keyturn
