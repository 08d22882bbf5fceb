#include "fleet/operator_transitions.hpp"
#include "unit/member/fleet_hosts.hpp"

namespace keyturn {
namespace {

/// Two hosts that may lead, and what can come between them.
class FleetCases : public FleetHostsTest {
  protected:
    void order(FleetHost& host, RotationKind kind = RotationKind::routine) {
        RotationRequest request;
        request.kind = kind;
        const Result<void> accepted = host.place->request_rotation(std::move(request));
        ASSERT_TRUE(accepted) << accepted.error().text;
    }
    /// Why the newest rotation was refused, or how it ended.
    [[nodiscard]] std::string last_words() const {
        const auto history = first_.history();
        return history.empty() ? "" : history.back().text;
    }
    void expect_nothing_touched() {
        EXPECT_EQ(restarts(), 0);
        EXPECT_THAT(first_.units.secrets_sent, IsEmpty());
    }
};

TEST_F(FleetCases, TheLargestMinAvailableCountsAlsoIfItComesLater) {
    make_fleet();
    second_.stop();
    second_.entry.min_available = 2;
    second_.start();
    pass(3min);
    order(first_);
    pass(5min);
    EXPECT_THAT(last_words(), HasSubstr("min_available"));
    expect_nothing_touched();
}

TEST_F(FleetCases, UnitsThatAppearAreLookedAtWithoutDelay) {
    ASSERT_TRUE(first_.type(FleetCommand::Kind::init, "host-1"));
    ASSERT_TRUE(second_.type(FleetCommand::Kind::join, "host-2"));
    ASSERT_TRUE(run_until([this] { return first_.file() != "" && second_.file() != ""; }));
    for (FleetHost* host : {&first_, &second_}) host->units.start_units();
    pass(2min);
    for (FleetHost* host : {&first_, &second_}) {
        EXPECT_THAT(host->findings(), Not(HasSubstr("no unit matches"))) << host->name;
        EXPECT_THAT(host->place->status().units, SizeIs(2)) << host->name;
    }
}

TEST_F(FleetCases, ALeakedSecretIsReplacedAtOnce) {
    make_fleet();
    order(first_, RotationKind::compromise);
    EXPECT_TRUE(run_until([&] { return !first_.units.secrets_sent.empty(); }, 10s));
    ASSERT_TRUE(run_until_done());
    expect_all_on_the_token_of_cloudflare();
}

TEST_F(FleetCases, ALeakedSecretIsReplacedAtOnceAlsoIfAHostIsSilent) {
    make_fleet();
    second_.stop();
    order(first_, RotationKind::compromise);
    EXPECT_TRUE(run_until([&] { return !first_.units.secrets_sent.empty(); }, 10s));
    pass(1min);
    EXPECT_EQ(first_.unit().token, first_.units.api_token_text());
    second_.start();
    ASSERT_TRUE(run_until_done());
    expect_all_on_the_token_of_cloudflare();
}

TEST_F(FleetCases, AUnitWithoutAConnectionIsRestartedWithoutATurn) {
    make_fleet();
    second_.stop();
    second_.unit().connected = false;
    second_.start();
    ASSERT_TRUE(run_until([&] { return second_.unit().restarts == 1; }, 10min));
    EXPECT_THAT(second_.log.message(EventKind::unit_revived), HasSubstr("systemd has restarted"));
    EXPECT_FALSE(second_.log.told(EventKind::turn_taken));
    pass(10min);
    EXPECT_EQ(second_.unit().restarts, 1);
}

/// The first host leads, has read the order, and cannot write.
class UnansweredCompromise : public FleetCases {
  protected:
    void order_and_let_no_write_through() {
        make_fleet();
        order(first_);
        ASSERT_TRUE(run_until_phase(Phase::soak));
        second_.stop();
        object_.fates.assign(1000, SwapFate::unreachable);
        object_.change([](FleetDocument& document) {
            RotationRequest request;
            request.kind = RotationKind::compromise;
            return keyturn::order(document, order_of(OrderKind::rotate, "host-2", request));
        });
        pass(2min);
        ASSERT_TRUE(document().order.open());
        ASSERT_FALSE(document().state.rotation->compromised());
    }
    void expect_obeyed() {
        ASSERT_TRUE(run_until([&] { return !document().order.open(); }));
        const auto rotation = document().state.rotation;
        EXPECT_TRUE(rotation && rotation->compromised()) << "its answer comes with its record";
        second_.start();
        ASSERT_TRUE(run_until([&] { return !document().state.rotation; }));
        pass(3min);
        EXPECT_THAT(first_.units.secrets_sent, SizeIs(2));
        expect_all_on_the_token_of_cloudflare();
    }
};

TEST_F(UnansweredCompromise, IsObeyedWhenTheStoreTakesWritesAgain) {
    order_and_let_no_write_through();
    object_.fates.assign(1, SwapFate::unreachable);
    expect_obeyed();
}

TEST_F(UnansweredCompromise, IsObeyedAgainByAHostThatWasDeposedMeanwhile) {
    order_and_let_no_write_through();
    object_.change([](FleetDocument& document) {
        return take_over(document, "host-2", SilentLead{document.epoch, document.lead});
    });
    pass(1min);
    object_.fates.clear();
    expect_obeyed();
}

class ACompromise : public FleetCases, public testing::WithParamInterface<Phase> {};

TEST_P(ACompromise, EndsTheRotationThatIsOpen) {
    make_fleet();
    order(first_);
    ASSERT_TRUE(run_until_phase(GetParam()));
    order(second_, RotationKind::compromise);
    ASSERT_TRUE(run_until([&] {
        const auto rotation = document().state.rotation;
        return rotation && rotation->compromised();
    }));
    ASSERT_TRUE(run_until([&] { return !document().state.rotation; }));
    pass(3min);
    expect_all_on_the_token_of_cloudflare();
}

INSTANTIATE_TEST_SUITE_P(In, ACompromise,
                         testing::Values(Phase::prepare, Phase::roll, Phase::soak));

TEST_F(FleetCases, ASecretThatComesBackIsHeldAndDeliveredNowhere) {
    make_fleet();
    std::string leaked;
    first_.units.on_patch = [&](std::string_view secret) {
        if (leaked.empty()) leaked = secret;
    };
    order(first_);
    ASSERT_TRUE(run_until_done());
    pass(25h);
    order(first_);
    ASSERT_TRUE(run_until_done(2));
    const std::string file = first_.file();
    const int restarted = restarts();
    for (FleetHost* host : {&first_, &second_}) host->units.hold_secret(leaked);
    ASSERT_TRUE(run_until_held());
    EXPECT_EQ(document().state.rotation->hold->reason, HoldReason::retired_secret);
    pass(1h);
    EXPECT_EQ(restarts(), restarted);
    EXPECT_EQ(first_.file(), file);
    EXPECT_EQ(second_.file(), file);
}

TEST_F(FleetCases, AStrangersConnectorRefusesARotation) {
    make_fleet();
    first_.units.strangers = {thief};
    order(first_);
    pass(5min);
    EXPECT_THAT(last_words(), HasSubstr("belongs to none of these units"));
    expect_nothing_touched();
}

TEST_F(FleetCases, AStrangersConnectorInTheMiddleIsToldAtTheEnd) {
    make_fleet();
    order(first_);
    ASSERT_TRUE(run_until_phase(Phase::soak));
    first_.units.strangers = {thief};
    ASSERT_TRUE(run_until_done());
    EXPECT_EQ(restarts(), 2);
    EXPECT_TRUE(run_until([&] {
        return first_.log.told(EventKind::foreign_connector) ||
               second_.log.told(EventKind::foreign_connector);
    }));
}

TEST_F(FleetCases, AHostThatJoinsInTheMiddleGetsTheTokenAndHasNoPart) {
    FleetHost third{context_, clock_, cloud_, object_, 3};
    third.start();
    make_fleet();
    order(first_);
    ASSERT_TRUE(run_until_phase(Phase::soak));
    ASSERT_TRUE(third.type(FleetCommand::Kind::join, "host-3"));
    ASSERT_TRUE(run_until([&] { return third.file() == first_.file(); }));
    third.units.start_units();
    ASSERT_TRUE(run_until_done());
    EXPECT_EQ(third.unit().restarts, 0);
    EXPECT_EQ(third.unit().token, first_.units.api_token_text());
    EXPECT_EQ(restarts(), 2);
    third.stop();
}

TEST_F(FleetCases, AHostThatRebootsWhileItWaitsIsProvenAsItIs) {
    make_fleet();
    order(first_);
    ASSERT_TRUE(run_until_phase(Phase::soak));
    FleetHost& waiting = first_.unit().restarts == 0 ? first_ : second_;
    ASSERT_EQ(waiting.unit().restarts, 0);
    waiting.stop();
    waiting.units.restart_by_hand(waiting.unit());
    pass(10s);
    waiting.start();
    ASSERT_TRUE(run_until_done());
    EXPECT_EQ(waiting.unit().restarts, 0);
    expect_all_on_the_token_of_cloudflare();
}

TEST_F(FleetCases, TwoFleetsOfOneTunnelRefuseEachOther) {
    FakeObject other{clock_};
    FleetHost third{context_, clock_, cloud_, other, 3};
    third.entry.eligible = true;
    third.start();
    make_fleet();
    ASSERT_TRUE(third.type(FleetCommand::Kind::init, "host-3"));
    ASSERT_TRUE(run_until([&] { return third.file() != ""; }));
    third.units.start_units();
    pass(3min);
    order(first_);
    order(third);
    pass(5min);
    EXPECT_THAT(last_words(), HasSubstr("belongs to none of these units"));
    ASSERT_THAT(third.history(), SizeIs(1));
    EXPECT_EQ(third.history()[0].outcome, Outcome::refused);
    expect_nothing_touched();
    EXPECT_EQ(third.unit().restarts, 0);
    third.stop();
}

}  // namespace
}  // namespace keyturn
