#include "fleet/operator_transitions.hpp"
#include "unit/member/lead_fixture.hpp"

namespace keyturn {
namespace {

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

TEST_F(LeadExecutorTest, ASampleSaysWhichHostDoesNotHaveTheTokenYet) {
    FleetDocument document = rolling_fleet();
    document.members.at("host-2").file = old_print;
    lead(document);
    EXPECT_FALSE(sample()[0].behind);
    EXPECT_TRUE(sample()[1].behind);
}

TEST_F(LeadExecutorTest, AHostThatDoesNotHaveTheTokenIsNoProblemForTheNextOne) {
    FleetDocument document = rolling_fleet();
    document.state.rotation->phase = Phase::preflight;
    document.members.at("host-2").lacks = "Cloudflare cannot be reached";
    lead(document);
    EXPECT_TRUE(ask(CheckFiles()));
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
                      HasSubstr("keyturnctl fleet decommission web host-2")));
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

/// A host of a lower rank gives the others their time, but not while a person waits.
TEST_F(LeadExecutorTest, AScheduledStartWaitsForItsTurnOrForAnOrder) {
    FleetDocument document = idle_fleet();
    document.members.emplace("host-0", document.members.at("host-2"));
    lead(document);
    state_.rotation = small_record();
    state_.rotation->request.scheduled = true;
    after(1min, [this] {
        object_.change(
            [](FleetDocument& ordered) { return order(ordered, order_of(OrderKind::pause)); });
    });
    look_after(65s);
    const BootTime before = clock_.boot_now();
    static_cast<void>(begin(SaveRecord{*state_.rotation}));
    EXPECT_TRUE(leading_.lead);
    EXPECT_THAT(clock_.boot_now() - before, AllOf(Ge(1min), Lt(2min)));
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

TEST_F(LeadExecutorTest, ADeliveryWaitsAMomentForEveryHost) {
    lead(prepared());
    state_.rotation->phase = Phase::commit;
    ASSERT_TRUE(ask(CommitSecret()));
    for (const auto& [host, wait] : {std::pair("host-1", 1s), std::pair("host-2", 3s)}) {
        after(wait, [host = std::string(host)](FleetDocument& document) {
            document.members.at(host).file = document.deliver;
            document.members.at(host).answers = document.ask;
            return Result<void>();
        });
    }
    const BootTime sent = clock_.boot_now();
    ASSERT_TRUE(ask(DeliverToken()));
    EXPECT_GE(clock_.boot_now() - sent, 3s);
    EXPECT_LE(clock_.boot_now() - sent, 5s);
    EXPECT_FALSE(sample()[1].behind);
}

TEST_F(LeadExecutorTest, ADeliveryDoesNotWaitForLongOrInACompromise) {
    lead(prepared());
    state_.rotation->phase = Phase::commit;
    ASSERT_TRUE(ask(CommitSecret()));
    const BootTime sent = clock_.boot_now();
    ASSERT_TRUE(ask(DeliverToken()));
    EXPECT_LE(clock_.boot_now() - sent, FleetTimes().take + 1s);
    state_.rotation->request.kind = RotationKind::compromise;
    const BootTime urgent = clock_.boot_now();
    ASSERT_TRUE(ask(DeliverToken()));
    EXPECT_LE(clock_.boot_now() - urgent, 1s);
}

TEST_F(LeadExecutorTest, ACommitWaitsUntilEveryHostHasStoredTheToken) {
    const FleetDocument document = unstaged();
    const SaveRecord commit = committing(document);
    lead(document);
    const auto early = ask(commit);
    ASSERT_FALSE(early);
    EXPECT_EQ(early.error().fault, Fault::busy);
    EXPECT_THAT(early.error().text, AllOf(HasSubstr("host-2"), Not(HasSubstr("host-1"))));
    EXPECT_EQ(object_.document().state.rotation->phase, Phase::prepare);
    clock_.suspend(policy_.rollout.progress_deadline);
    look();
    EXPECT_EQ(ask(commit).error().fault, Fault::busy) << "that was no silence of the host";
    Fault fault = Fault::busy;
    const BootTime began = clock_.boot_now();
    while (fault == Fault::busy && clock_.boot_now() - began < 5h) {
        fault = ask(commit).error().fault;
    }
    EXPECT_EQ(fault, Fault::silent) << "a person has to decide";
    stage();
    look();
    ASSERT_TRUE(ask(commit));
    EXPECT_EQ(object_.document().state.rotation->phase, Phase::commit);
}

TEST_F(LeadExecutorTest, TheCommitOfACompromiseWaitsForNobody) {
    FleetDocument document = unstaged();
    document.state.rotation->request.kind = RotationKind::compromise;
    lead(document);
    EXPECT_TRUE(ask(committing(document)));
}

TEST_F(LeadExecutorTest, TheRecordOfACompromiseIsNotReplacedByOneThatHasWaited) {
    const FleetDocument document = unstaged();
    const SaveRecord commit = committing(document);
    lead(document);
    after(3s, [this] {
        state_.rotation->request.kind = RotationKind::compromise;
        stage();
    });
    const auto saved = ask(commit);
    ASSERT_FALSE(saved);
    EXPECT_EQ(saved.error().fault, Fault::busy);
    EXPECT_TRUE(state_.rotation->compromised());
    EXPECT_EQ(object_.document().state.rotation->phase, Phase::prepare);
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

}  // namespace
}  // namespace keyturn
