#include "member/lead_executor.hpp"

#include "delivery/token_store.hpp"
#include "fakes/fake_host.hpp"
#include "fakes/fake_object.hpp"
#include "fakes/matchers.hpp"
#include "fakes/sandbox.hpp"
#include "fakes/small_fleet.hpp"
#include "member/fleet_states.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

namespace keyturn {
namespace {

/// host-1 leads a rotation over the units of two hosts. host-2 is what the test writes into the
/// object.
class LeadExecutorTest : public testing::Test {
  protected:
    LeadExecutorTest() {
        cloud_.rotate_by_somebody_else('O');
        list({listed(connector_of(1)), listed(connector_of(2))});
        leading_.deposed = [this] { ++deposed_; };
    }

    /// The object has this, and host-1 has just read it. If it leads, it knows that.
    void lead(const FleetDocument& document = rolling_fleet()) {
        object_.put(document);
        look();
        state_ = document.state;
        if (document.lead) leading_.lead = Leadership{"host-1", document.epoch};
    }

    /// The same before the PATCH: the new token is sealed, and every host has it.
    static FleetDocument prepared() {
        FleetDocument document = rolling_fleet();
        document.state.rotation->phase = Phase::prepare;
        document.deliver = old_print;
        for (auto& [host, member] : document.members) member.file = old_print;
        return document;
    }

    void look() {
        const auto seen = run(fleet_.look());
        ASSERT_TRUE(seen && *seen) << "the object cannot be read";
    }

    /// Nothing: it never ends.
    template <class Asked>
    std::optional<Result<typename Asked::Value>> begin(Asked question, Milliseconds limit = 30min) {
        return run(executor_.ask(std::move(question)), limit);
    }

    template <class Asked>
    Result<typename Asked::Value> ask(Asked question) {
        auto answer = begin(std::move(question));
        EXPECT_TRUE(answer) << "it never ends";
        return answer ? std::move(*answer) : Result<typename Asked::Value>(no_answer);
    }

    template <class Value>
    static Task<> keep(Task<Result<Value>> call, std::optional<Result<Value>>* outcome) {
        auto result = co_await std::move(call);
        outcome->emplace(std::move(result));
    }

    template <class Value>
    std::optional<Result<Value>> run(Task<Result<Value>> call, Milliseconds limit = 30min) {
        std::optional<Result<Value>> outcome;
        boost::asio::co_spawn(
            context_, keep(std::move(call), &outcome),
            boost::asio::bind_cancellation_slot(stop_.slot(), boost::asio::detached));
        clock_.run_until([&] { return outcome.has_value(); }, limit);
        if (outcome) return outcome;
        stop_.emit(boost::asio::cancellation_type::terminal);
        clock_.run_until([] { return false; }, Milliseconds(0));
        return outcome;
    }

    /// This happens while an action is under way.
    void after(Milliseconds wait, std::function<void()> what) {
        boost::asio::co_spawn(context_, do_later(clock_.boot_now() + wait, std::move(what)),
                              boost::asio::detached);
    }

    Task<> do_later(BootTime when, std::function<void()> what) {
        co_await clock_.sleep_until(when);
        what();
    }

    /// host-2 changes the object after this time.
    void after(Milliseconds wait, FleetTransition transition) {
        after(wait, std::function<void()>(
                        [this, transition = std::move(transition)] { object_.change(transition); }));
    }

    void list(std::vector<Connector> connectors) { cloud_.strangers = std::move(connectors); }

    /// Both units, as the heart samples them.
    std::vector<SampleUnits::Sample> sample() {
        auto samples = ask(SampleUnits{{unit_of(1), unit_of(2)}});
        EXPECT_TRUE(samples);
        return samples ? std::move(*samples) : std::vector<SampleUnits::Sample>(2);
    }

    /// Restarts the unit of host-2 as the heart does: right after a sample.
    Result<RestartResult> restart(Milliseconds deadline = 60s) {
        sample();
        RestartUnit wish;
        wish.unit = unit_of(2);
        wish.deadline = deadline;
        wish.not_after = clock_.boot_now() + 10s;
        return ask(wish);
    }

    [[nodiscard]] std::vector<FleetTurn> turns() const { return object_.document().turns; }

    boost::asio::io_context context_{1};
    SimulatedClock clock_{context_};
    boost::asio::cancellation_signal stop_;
    FakeObject object_{clock_};
    FakeFleetMemory memory_;
    testing_files::Sandbox directory_{testing_files::Medium::memory};
    TunnelPolicy policy_ = web_policy({unit_of(1), unit_of(2)});
    std::unique_ptr<StateStore> history_ = *make_state_store(directory_.path());
    std::unique_ptr<TokenStore> files_ = make_token_store(directory_.path());
    std::unique_ptr<Random> random_ = make_random();
    FakeHost cloud_{clock_, web_policy({}), directory_ / "tokens/web"};
    ApiBudget budget_;
    Fleet fleet_{"web", tunnel_id, fleet_keys(),
                 FleetMemories{"host-1", small_member(1).install, fleet_id, 0,
                               small_member(1).mark, ""},
                 FleetWorld{object_, clock_, *random_, memory_}};
    FleetTokens tokens_{*files_, fleet_.keys()};
    FleetStates states_{*history_, [] {}};
    TunnelState state_;
    Leading leading_;
    int deposed_ = 0;
    LeadExecutor executor_{policy_,
                           state_,
                           Dependencies{clock_, cloud_, cloud_, cloud_, tokens_, states_, *random_,
                                        budget_},
                           fleet_,
                           tokens_,
                           leading_,
                           FleetTimes()};
};

// --- What it sees --------------------------------------------------------------------------------

TEST_F(LeadExecutorTest, ASampleHasTheProcessFromItsHostAndTheConnectionsFromCloudflare) {
    lead();
    list({listed(connector_of(1)), listed(connector_of(2), our_address, 3)});
    const auto samples = sample();
    EXPECT_EQ(samples[0].state.name, unit_of(1));
    EXPECT_EQ(samples[0].state.invocation, process(100));
    EXPECT_EQ(samples[0].connections(), full);
    EXPECT_EQ(samples[1].state.invocation, process(200));
    EXPECT_EQ(samples[1].connections(), 3) << "its last report may be old";
}

TEST_F(LeadExecutorTest, TheLastReportOfADeadHostDoesNotCountAsServing) {
    lead();
    list({listed(connector_of(1))});
    EXPECT_TRUE(sample()[0].serves());
    EXPECT_TRUE(sample()[1].idle());
}

TEST_F(LeadExecutorTest, NobodyServesForSureWithoutTheListOfCloudflare) {
    lead();
    cloud_.api_down = no_answer;
    for (const SampleUnits::Sample& one : sample()) {
        EXPECT_TRUE(one.unknown());
        EXPECT_THAT(one.why_unknown(), HasSubstr("Cloudflare does not list the connectors now"));
    }
}

TEST_F(LeadExecutorTest, AUnitThatNoHostReportsIsNotThere) {
    FleetDocument document = rolling_fleet();
    document.members.at("host-2").units.clear();
    lead(document);
    EXPECT_EQ(sample()[1].state.load_state, "not-found");
    EXPECT_FALSE(sample()[1].serves());
}

TEST_F(LeadExecutorTest, AnInspectionAsksEveryHostAndWaitsForItsAnswer) {
    lead();
    const auto answering = [](const std::string& host) {
        return [host](FleetDocument& document) {
            document.members.at(host).answers = document.ask;
            return Result<void>();
        };
    };
    after(1s, answering("host-1"));
    after(5s, [&](FleetDocument& document) {
        document.members.at("host-2").units[0].setup.problem = "its token comes from another file";
        return answering("host-2")(document);
    });
    const auto units = ask(InspectUnits());
    ASSERT_TRUE(units);
    ASSERT_THAT(*units, SizeIs(2));
    EXPECT_EQ((*units)[0].name, unit_of(1));
    EXPECT_FALSE((*units)[0].problem);
    EXPECT_EQ((*units)[1].problem, "its token comes from another file");
}

TEST_F(LeadExecutorTest, AHostThatDoesNotAnswerIsAProblemOfItsUnits) {
    lead();
    after(1s, [](FleetDocument& document) {
        document.members.at("host-1").answers = document.ask;
        return Result<void>();
    });
    const auto units = ask(InspectUnits());
    ASSERT_TRUE(units);
    EXPECT_FALSE((*units)[0].problem);
    EXPECT_THAT((*units)[1].problem.value_or(""),
                AllOf(HasSubstr("host-2 does not answer"),
                      HasSubstr("keyturnctl fleet decommission host-2")));
}

TEST_F(LeadExecutorTest, AnInspectionOfAnIdleTunnelWritesNothing) {
    lead(idle_fleet());
    const auto units = ask(InspectUnits());
    ASSERT_TRUE(units);
    EXPECT_THAT(*units, SizeIs(2));
    EXPECT_EQ(object_.swaps, 0);
}

TEST_F(LeadExecutorTest, AHostThatCannotReplaceItsFileIsNamedBeforeTheStart) {
    FleetDocument document = rolling_fleet();
    document.state.rotation->phase = Phase::preflight;
    document.members.at("host-2").problem = "the disk is full";
    lead(document);
    const auto checked = ask(CheckFiles());
    ASSERT_FALSE(checked);
    EXPECT_EQ(checked.error().fault, Fault::denied);
    EXPECT_EQ(checked.error().text, "host-2: the disk is full");
    state_.rotation->phase = Phase::roll;
    const auto later = ask(CheckFiles());
    ASSERT_TRUE(later) << "by then the others can go on";
    EXPECT_EQ(later->fingerprint, new_print);
}

// --- Record and tokens ---------------------------------------------------------------------------

TEST_F(LeadExecutorTest, TheFirstRecordBeginsTheRotation) {
    lead(idle_fleet());
    state_.rotation = small_record();
    ASSERT_TRUE(ask(SaveRecord{small_record()}));
    const FleetDocument document = object_.document();
    EXPECT_TRUE(document.led_by("host-1", 7));
    EXPECT_EQ(document.state.rotation, small_record());
    EXPECT_EQ(leading_.lead, (Leadership{"host-1", 7}));
}

TEST_F(LeadExecutorTest, TheNewSecretIsSealedInTheObjectBeforeCloudflareKnowsIt) {
    FleetDocument document = prepared();
    document.sealed.reset();
    lead(document);
    const auto made = ask(PrepareSecret());
    ASSERT_TRUE(made) << made.error().text;
    const FleetDocument after = object_.document();
    ASSERT_TRUE(after.sealed);
    const auto tokens = fleet_keys().unseal(after);
    ASSERT_TRUE(tokens) << tokens.error().text;
    EXPECT_EQ(fingerprint_of(*decode_token(tokens->new_token.reveal())), made->new_fingerprint);
    EXPECT_EQ(after.deliver, old_print);
    EXPECT_THAT(*object_.text, Not(HasSubstr(std::string(tokens->new_token.reveal()))));
    EXPECT_THAT(cloud_.secrets_sent, IsEmpty());
}

TEST_F(LeadExecutorTest, TheSealedSecretIsSentAndThenNamedForEveryFile) {
    lead(prepared());
    state_.rotation->phase = Phase::commit;
    const auto sent = ask(CommitSecret());
    ASSERT_TRUE(sent) << sent.error().text;
    EXPECT_THAT(cloud_.secrets_sent, ElementsAre(new_print));
    EXPECT_EQ(object_.document().deliver, old_print);
    ASSERT_TRUE(ask(DeliverToken()));
    EXPECT_EQ(object_.document().deliver, new_print);
    ASSERT_TRUE(ask(PutBackToken()));
    EXPECT_EQ(object_.document().deliver, old_print);
    ASSERT_TRUE(ask(ForgetSecrets()));
    EXPECT_FALSE(object_.document().sealed);
}

TEST_F(LeadExecutorTest, ACommitWaitsUntilEveryHostHasStoredTheToken) {
    FleetDocument document = prepared();
    document.members.at("host-2").staged = "";
    lead(document);
    RotationRecord committing = *document.state.rotation;
    committing.phase = Phase::commit;
    const auto early = ask(SaveRecord{committing});
    ASSERT_FALSE(early);
    EXPECT_EQ(early.error().fault, Fault::busy);
    EXPECT_THAT(early.error().text, AllOf(HasSubstr("host-2"), Not(HasSubstr("host-1"))));
    EXPECT_EQ(object_.document().state.rotation->phase, Phase::prepare);
    clock_.suspend(policy_.rollout.progress_deadline);
    const auto late = ask(SaveRecord{committing});
    ASSERT_FALSE(late);
    EXPECT_EQ(late.error().fault, Fault::silent) << "a person has to decide";
    object_.change([](FleetDocument& staged) {
        staged.members.at("host-2").staged = fleet_rotation;
        return Result<void>();
    });
    look();
    ASSERT_TRUE(ask(SaveRecord{committing}));
    EXPECT_EQ(object_.document().state.rotation->phase, Phase::commit);
}

TEST_F(LeadExecutorTest, TheCommitOfACompromiseWaitsForNobody) {
    FleetDocument document = prepared();
    document.members.at("host-2").staged = "";
    document.state.rotation->request.kind = RotationKind::compromise;
    lead(document);
    RotationRecord committing = *document.state.rotation;
    committing.phase = Phase::commit;
    EXPECT_TRUE(ask(SaveRecord{committing}));
}

TEST_F(LeadExecutorTest, TheEndIsTheEndOfTheLead) {
    lead();
    const HistoryEntry entry = sample_entry(fleet_rotation);
    ASSERT_TRUE(ask(Conclude{entry}));
    const FleetDocument document = object_.document();
    EXPECT_FALSE(document.lead);
    EXPECT_FALSE(document.state.rotation);
    EXPECT_EQ(document.last->rotation_id, fleet_rotation);
    EXPECT_FALSE(leading_.lead);
}

// --- Turns ---------------------------------------------------------------------------------------

FleetTransition host_takes() {
    return [](FleetDocument& document) {
        const auto number = document.turn_of(unit_of(2))->number;
        return take_turn(document, "host-2", number, process(200), new_print);
    };
}

FleetTransition host_ends(const Result<RestartResult>& outcome) {
    return [outcome](FleetDocument& document) {
        const auto number = document.turn_of(unit_of(2))->number;
        return end_turn(document, "host-2", number, outcome);
    };
}

TEST_F(LeadExecutorTest, ARestartIsATurnThatTheHostTakesAndEnds) {
    lead();
    after(3s, host_takes());
    after(9s, host_ends(RestartResult(JobResult::done)));
    const auto restarted = restart();
    ASSERT_TRUE(restarted) << restarted.error().text;
    EXPECT_EQ(*restarted, JobResult::done);
    EXPECT_THAT(turns(), IsEmpty()) << "its result was read";
    EXPECT_EQ(object_.document().turns_granted, 1U);
}

TEST_F(LeadExecutorTest, WhatSystemdSaidOnTheHostIsTheResult) {
    lead();
    RestartResult failed(JobResult::failed);
    failed.not_reset = "systemd did not answer";
    after(3s, host_takes());
    after(9s, host_ends(failed));
    EXPECT_EQ(restart(), failed);
    after(3s, host_takes());
    after(9s, host_ends(no_right));
    const auto refused = restart();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::denied);
    EXPECT_EQ(refused.error().text, no_right.text);
}

TEST_F(LeadExecutorTest, ATurnThatNobodyTakesIsWithdrawn) {
    lead();
    const BootTime before = clock_.boot_now();
    const auto restarted = restart();
    ASSERT_FALSE(restarted);
    EXPECT_EQ(restarted.error().fault, Fault::busy) << "other units go first";
    EXPECT_THAT(clock_.boot_now() - before,
                AllOf(Ge(FleetTimes().take), Lt(FleetTimes().take + 5s)));
    EXPECT_THAT(turns(), IsEmpty());
    EXPECT_THAT(restarted.error().text,
                AllOf(HasSubstr("does not take its turn"), HasSubstr("start keyturnd on host-2"),
                      HasSubstr("keyturnctl fleet decommission host-2")));
}

TEST_F(LeadExecutorTest, AHostThatTakesNoTurnForLongIsAMatterForAPerson) {
    lead();
    const BootTime first = clock_.boot_now();
    Fault fault = Fault::busy;
    while (fault == Fault::busy && clock_.boot_now() - first < 1h) fault = restart().error().fault;
    EXPECT_EQ(fault, Fault::silent);
    EXPECT_THAT(clock_.boot_now() - first, Ge(FleetTimes().silence));
    after(3s, host_takes());
    after(9s, host_ends(RestartResult(JobResult::done)));
    ASSERT_TRUE(restart());
    EXPECT_EQ(restart().error().fault, Fault::busy) << "its silence is forgotten";
}

TEST_F(LeadExecutorTest, ATurnThatWasTakenIsNeverWithdrawn) {
    lead();
    after(3s, host_takes());
    const BootTime before = clock_.boot_now();
    const auto restarted = restart(60s);
    ASSERT_FALSE(restarted);
    EXPECT_EQ(restarted.error().fault, Fault::silent);
    EXPECT_THAT(restarted.error().text,
                AllOf(HasSubstr(unit_of(2) + " took its turn and says nothing since"),
                      HasSubstr("keyturnctl fleet decommission host-2")));
    EXPECT_THAT(clock_.boot_now() - before, Ge(FleetTimes().silence + 60s));
    ASSERT_THAT(turns(), SizeIs(1));
    EXPECT_EQ(turns()[0].state, TurnState::taken) << "the host may be about to restart the unit";
    sample();
    RestartUnit other;
    other.unit = unit_of(1);
    other.deadline = 60s;
    other.not_after = clock_.boot_now() + 10s;
    const auto refused = ask(other);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().text, HasSubstr(unit_of(2) + " has its turn and does not end it"));
    EXPECT_THAT(turns(), SizeIs(1));
}

TEST_F(LeadExecutorTest, AHurriedRestartWaitsForNobody) {
    lead();
    const BootTime before = clock_.boot_now();
    EXPECT_EQ(restart(0s), RestartResult(JobResult::queued));
    EXPECT_EQ(clock_.boot_now(), before);
    ASSERT_THAT(turns(), SizeIs(1));
    EXPECT_TRUE(turns()[0].hurried);
}

TEST_F(LeadExecutorTest, AnOldCheckGrantsNothing) {
    lead();
    sample();
    RestartUnit wish;
    wish.unit = unit_of(2);
    wish.deadline = 60s;
    wish.not_after = clock_.boot_now() + 10s;
    clock_.suspend(11s);
    EXPECT_EQ(ask(wish).error().fault, Fault::busy);
    EXPECT_EQ(object_.swaps, 0);
}

TEST_F(LeadExecutorTest, AUnitThatHasChangedSinceTheCheckGrantsNothing) {
    lead();
    sample();
    object_.change([](FleetDocument& document) {
        fail(document.members.at("host-1").units[0].seen.state);
        return Result<void>();
    });
    RestartUnit wish;
    wish.unit = unit_of(2);
    wish.deadline = 60s;
    wish.not_after = clock_.boot_now() + 10s;
    const auto refused = ask(wish);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().fault, Fault::busy);
    EXPECT_THAT(refused.error().text, HasSubstr("the units of host-1 have just changed"));
    EXPECT_THAT(turns(), IsEmpty());
}

TEST_F(LeadExecutorTest, AFleetHasNoExtraConnectorToStop) {
    lead();
    EXPECT_EQ(ask(StopUnit{extra, 60s, clock_.boot_now() + 10s}).error().fault, Fault::invalid);
}

// --- Another host leads --------------------------------------------------------------------------

/// What host-2 does when it has not seen a beat for long.
FleetTransition host_takes_over() {
    return [](FleetDocument& document) {
        return take_over(document, "host-2", SilentLead{document.epoch, document.lead});
    };
}

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
    expect_the_end_of(SaveRecord{small_record()});
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
