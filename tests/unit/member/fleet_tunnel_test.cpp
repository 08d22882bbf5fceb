#include "unit/member/fleet_hosts.hpp"

namespace keyturn {
namespace {

TEST_F(FleetTunnelTest, RotatesEveryUnitOnceUnderOneSecret) {
    make_fleet();
    const std::string old = first_.file();
    request();
    ASSERT_TRUE(run_until_done());
    EXPECT_NE(first_.file(), old);
    expect_all_on_the_token_of_cloudflare();
    EXPECT_EQ(first_.unit().restarts, 1);
    EXPECT_EQ(second_.unit().restarts, 1);
    EXPECT_THAT(first_.units.secrets_sent, SizeIs(1));
    const FleetDocument after = document();
    EXPECT_FALSE(after.lead);
    EXPECT_FALSE(after.sealed);
    EXPECT_THAT(after.turns, IsEmpty());
    EXPECT_FALSE(after.order.open());
}

TEST_F(FleetTunnelTest, HasItsHistoryOnEveryHost) {
    make_fleet();
    request();
    ASSERT_TRUE(run_until_done());
    pass(10min);
    ASSERT_THAT(first_.history(), SizeIs(1));
    ASSERT_THAT(second_.history(), SizeIs(1));
    EXPECT_EQ(first_.history()[0].rotation_id, second_.history()[0].rotation_id);
    EXPECT_EQ(second_.history()[0].outcome, Outcome::done);
    EXPECT_EQ(second_.history()[0].text, first_.history()[0].text);
    EXPECT_THAT(second_.history()[0].units, IsEmpty()) << "that would double the object";
}

TEST_F(FleetTunnelTest, TellsTheJournalOfEachHostWhatHappensToItsUnits) {
    make_fleet();
    request();
    ASSERT_TRUE(run_until_done());
    const std::string id = first_.history()[0].rotation_id;
    for (const FleetHost* host : {&first_, &second_}) {
        EXPECT_EQ(host->log.count(EventKind::turn_taken), 1) << host->name;
        for (const Event& event : host->log.events) {
            if (event.kind != EventKind::turn_taken && event.kind != EventKind::turn_ended)
                continue;
            EXPECT_EQ(event.rotation_id, id);
            EXPECT_EQ(event.target_unit, a);
            EXPECT_EQ(event.fingerprint, document().deliver);
        }
    }
    EXPECT_THAT(second_.log.message(EventKind::token_received), HasSubstr("(host-1 leads"));
    EXPECT_THAT(second_.log.message(EventKind::turn_taken), HasSubstr("(host-1 leads"));
    EXPECT_THAT(second_.log.message(EventKind::turn_ended),
                HasSubstr(std::string("systemd has restarted ") + a));
}

TEST_F(FleetTunnelTest, TellsTheJournalWhoSaysItAndOfWhichRevision) {
    make_fleet();
    request();
    ASSERT_TRUE(run_until_done());
    for (const FleetHost* host : {&first_, &second_}) {
        std::uint64_t newest = 0;
        ASSERT_THAT(host->log.events, Not(IsEmpty()));
        for (const Event& event : host->log.events) {
            EXPECT_EQ(event.fleet_host, host->name) << event.message;
            const std::uint64_t rev = std::stoull(event.fleet_rev);
            EXPECT_GE(rev, newest) << event.message;
            newest = rev;
        }
        EXPECT_EQ(host->log.events.back().fleet_epoch, std::to_string(document().epoch));
        EXPECT_GT(newest, 1U);
        EXPECT_LE(newest, document().rev);
    }
}

TEST_F(FleetTunnelTest, WritesNothingWhileNothingIsNew) {
    make_fleet();
    pass(10min);
    const FleetDocument before = document();
    pass(3h);
    EXPECT_EQ(document(), before);
}

TEST_F(FleetTunnelTest, TellsInTheJournalThatItDoesNotReachTheStoreAndWhenItDoesAgain) {
    make_fleet();
    second_.log.events.clear();
    object_.down = no_answer;
    pass(10min);
    EXPECT_EQ(second_.log.count(EventKind::finding_began), 1);
    EXPECT_THAT(
        second_.log.message(EventKind::finding_began),
        AllOf(testing::StartsWith("This host cannot fully take part in the rotations of web: "),
              HasSubstr(no_answer.text)));
    EXPECT_FALSE(second_.log.told(EventKind::finding_ended));
    object_.down.reset();
    pass(10min);
    EXPECT_EQ(second_.log.count(EventKind::finding_began), 1);
    EXPECT_THAT(second_.log.message(EventKind::finding_ended), HasSubstr(no_answer.text));
}

TEST_F(FleetTunnelTest, ShowsTheSameOnAHostThatCannotLead) {
    make_fleet();
    request();
    ASSERT_TRUE(run_until_phase(Phase::soak));
    pass(10s);
    EXPECT_EQ(second_.place->status().phase, "soak");
    EXPECT_EQ(second_.place->status().rotation_id, first_.place->status().rotation_id);
    EXPECT_THAT(second_.place->describe(),
                AllOf(HasSubstr("host-1 leads"), HasSubstr("host-2"), HasSubstr(a)));
    EXPECT_FALSE(second_.place->request_rotation({})) << "one is open";
}

TEST_F(FleetTunnelTest, WaitsForAHostThatIsDownBeforeCloudflareKnowsTheSecret) {
    make_fleet();
    second_.stop();
    ASSERT_TRUE(first_.place->request_rotation({}));
    pass(3min);
    EXPECT_THAT(first_.units.secrets_sent, IsEmpty());
    EXPECT_EQ(restarts(), 0);
}

TEST_F(FleetTunnelTest, GoesOnWhereItWasAfterALeadThatDied) {
    make_fleet();
    request();
    ASSERT_TRUE(run_until_phase(Phase::soak));
    first_.stop();
    pass(10min);
    EXPECT_TRUE(document().state.rotation) << "no other host may lead";
    first_.start();
    ASSERT_TRUE(run_until_done());
    EXPECT_EQ(restarts(), 2);
    EXPECT_THAT(first_.units.secrets_sent, SizeIs(1));
}

/// Both hosts may lead.
class TwoLeads : public FleetTunnelTest {
  protected:
    TwoLeads() { second_.entry.eligible = true; }
};

TEST_F(TwoLeads, BeginOneRotationForOneOrder) {
    make_fleet();
    request();
    ASSERT_TRUE(run_until_done());
    EXPECT_EQ(restarts(), 2);
    EXPECT_THAT(first_.units.secrets_sent, SizeIs(1));
    EXPECT_EQ(document().epoch, 1U);
}

TEST_F(TwoLeads, TakeOverFromEachOther) {
    make_fleet();
    request();
    ASSERT_TRUE(run_until_phase(Phase::soak));
    const std::string led = document().lead->host;
    (led == "host-1" ? first_ : second_).stop();
    ASSERT_TRUE(run_until([&] {
        const auto lead = document().lead;
        return lead && lead->host != led;
    }));
    (led == "host-1" ? first_ : second_).start();
    ASSERT_TRUE(run_until_done());
    EXPECT_EQ(restarts(), 2);
    EXPECT_THAT(first_.units.secrets_sent, SizeIs(1)) << "the sealed one";
    expect_all_on_the_token_of_cloudflare();
}

TEST_F(TwoLeads, LetTheOneThatWasDeposedFollow) {
    make_fleet();
    request();
    ASSERT_TRUE(run_until_phase(Phase::soak));
    const std::string led = document().lead->host;
    const std::string other = led == "host-1" ? "host-2" : "host-1";
    object_.change(
        [&](FleetDocument& taken) {
            return take_over(taken, other, SilentLead{taken.epoch, taken.lead});
        },
        other);
    ASSERT_TRUE(run_until_done());
    EXPECT_EQ(restarts(), 2);
    EXPECT_THAT(first_.units.secrets_sent, SizeIs(1));
}

// --- An object that is not what the fleet wrote last ---------------------------------------------

/// A rotation in its first soak: one unit has been restarted, and the other one is next.
class WrongObject : public FleetTunnelTest {
  protected:
    void come_to_the_soak() {
        make_fleet();
        old_text_ = *object_.text;
        request();
        ASSERT_TRUE(run_until_phase(Phase::soak));
        good_text_ = *object_.text;
        restarted_ = restarts();
        file_ = first_.file();
    }

    /// For twenty minutes nothing happens on any host; then the rotation goes on to its end.
    void expect_nothing_until_the_object_is_back() {
        const auto shown = object_.text;
        pass(20min);
        EXPECT_EQ(restarts(), restarted_);
        EXPECT_EQ(first_.file(), file_);
        EXPECT_EQ(second_.file(), file_);
        EXPECT_THAT(first_.units.secrets_sent, SizeIs(1));
        EXPECT_EQ(object_.text, shown) << "nobody writes";
        EXPECT_NE(first_.findings(), "");
        EXPECT_NE(second_.findings(), "");
        object_.put(good_text_);
        ASSERT_TRUE(run_until_done());
        EXPECT_EQ(restarts(), 2);
    }

    /// Somebody with the key of another fleet writes what he wants.
    [[nodiscard]] std::string signed_by_others(FleetDocument document) const {
        document.rev += 100;
        const FleetKeys keys = fleet_keys("k1 " + std::string(64, '7') + "\n");
        return *write_fleet_text(document, keys);
    }

    std::string old_text_;
    std::string good_text_;
    std::string file_;
    int restarted_ = 0;
};

TEST_F(WrongObject, ForgedMovesNothing) {
    come_to_the_soak();
    FleetDocument wanted = document();
    wanted.deliver = fingerprint_of(*decode_token(fleet_token('T').reveal()));
    for (int host : {1, 2}) {
        FleetTurn turn = small_turn(host, TurnState::granted);
        turn.number = 100U + static_cast<unsigned>(host);
        turn.rotation_id = wanted.state.rotation->rotation_id;
        wanted.turns.push_back(turn);
    }
    object_.put(signed_by_others(wanted));
    expect_nothing_until_the_object_is_back();
}

TEST_F(WrongObject, OldMovesNothing) {
    come_to_the_soak();
    object_.put(old_text_);
    expect_nothing_until_the_object_is_back();
}

TEST_F(WrongObject, OfAnotherFleetMovesNothing) {
    come_to_the_soak();
    FleetDocument other = document();
    other.fleet = std::string(32, 'c');
    other.rev += 100;
    object_.put(other);
    expect_nothing_until_the_object_is_back();
}

TEST_F(WrongObject, GarbledMovesNothing) {
    come_to_the_soak();
    object_.put(good_text_.substr(0, good_text_.size() / 2));
    expect_nothing_until_the_object_is_back();
}

TEST_F(WrongObject, DeletedMovesNothingAndIsNotCreated) {
    come_to_the_soak();
    object_.remove();
    expect_nothing_until_the_object_is_back();
}

}  // namespace
}  // namespace keyturn
