#include "waves/wave_gate.hpp"

#include "fakes/matchers.hpp"
#include "fakes/web_tunnel.hpp"

namespace keyturn {
namespace {

using Author = WaveGate::Author;
using Kind = WaveGate::Verdict::Kind;

const std::string address_begin = "192.0.2.";

/// Three hosts, of which the second has two units.
TunnelPolicy policy_of_three() {
    TunnelPolicy policy = web_policy({"web.service"});
    Coordinator& coordinator = policy.coordinator.emplace();
    coordinator.kind = CoordinatorKind::api;
    coordinator.hosts = {{"one", address_begin + "1", "", 1},
                         {"two", address_begin + "2", "", 2},
                         {"three", "", "keyturn-three", 1}};
    return policy;
}

Connector at(int host, const std::string& id) {
    Connector connector{id, address_begin + std::to_string(host), "", "", 4};
    if (host == 3) connector = Connector{id, "198.51.100.9", "", "", 4, "keyturn-three"};
    return connector;
}

/// `known` is like "1 of 2".
std::string comes_first(const std::string& host, const std::string& known) {
    return host + " comes first: " + known + " connectors there are known to have the new token";
}

using List = std::vector<Connector>;

/// What one host sees, before a change of the token and after it.
class WaveGateTest : public testing::Test {
  protected:
    WaveGate gate_of(std::size_t own) {
        WaveMemories memories;
        memories.token = "old";
        return {policy_, own, WaveTimes(), memories};
    }

    /// The token has changed, and no unit has restarted.
    WaveGate changed(std::size_t own) {
        WaveGate gate = gate_of(own);
        gate.look(before_, now_);
        begin(gate, "new", before_);
        return gate;
    }

    /// The host has delivered this token, and has read the list for long enough.
    void begin(WaveGate& gate, const Fingerprint& token, const List& listed) {
        gate.begin(token, Author::somebody_else, listed, now_);
        now_ += 30s;
        gate.look(listed, now_);
    }

    /// Two lists that agree, as far apart as it takes.
    void see(WaveGate& gate, const List& listed) {
        now_ += 15s;
        gate.look(listed, now_);
        now_ += 15s;
        gate.look(listed, now_);
    }

    Kind kind(WaveGate& gate) { return gate.may_restart(now_).kind; }
    std::string why(WaveGate& gate) { return gate.may_restart(now_).error.text; }

    TunnelPolicy policy_ = policy_of_three();
    BootTime now_{1h};
    List before_{at(1, "a"), at(2, "b"), at(2, "c"), at(3, "d")};
    List first_done_{at(1, "A"), at(2, "b"), at(2, "c"), at(3, "d")};
    List half_done_{at(1, "A"), at(2, "B"), at(2, "c"), at(3, "d")};
    List two_done_{at(1, "A"), at(2, "B"), at(2, "C"), at(3, "d")};
};

TEST_F(WaveGateTest, TheFirstHostWaitsUntilAllOthersHaveLooked) {
    WaveGate gate = changed(0);
    see(gate, before_);
    EXPECT_EQ(kind(gate), Kind::closed);
    EXPECT_EQ(why(gate),
              "the other hosts look for a new token every 15m (`drift.interval`); 15m 30s left");
    now_ += 16min;
    gate.look(before_, now_);
    EXPECT_EQ(kind(gate), Kind::open);
}

TEST_F(WaveGateTest, ALaterHostWaitsForEveryUnitOfTheOnesBefore) {
    WaveGate gate = changed(2);
    see(gate, before_);
    EXPECT_EQ(why(gate), comes_first("one", "0 of 1"));
    see(gate, first_done_);
    EXPECT_EQ(why(gate), comes_first("two", "0 of 2"));
    see(gate, half_done_);
    EXPECT_EQ(why(gate), comes_first("two", "1 of 2"));
    EXPECT_EQ(gate.may_restart(now_).error.retry_after, 5s) << "a third of the time between lists";
    see(gate, two_done_);
    EXPECT_EQ(kind(gate), Kind::open);
}

TEST_F(WaveGateTest, AConnectorOfTheOldTokenThatIsListedLaterProvesNothing) {
    WaveGate gate = gate_of(1);
    begin(gate, "new", {at(2, "b"), at(2, "c"), at(3, "d"), at(1, "A")});
    see(gate, first_done_);
    EXPECT_EQ(why(gate), comes_first("one", "0 of 1"));
}

/// The unit had restarted with the old token, right before the change.
TEST_F(WaveGateTest, AListThatIsBehindProvesNothing) {
    WaveGate gate = gate_of(1);
    gate.begin("new", Author::somebody_else, before_, now_);
    now_ += 20s;
    gate.look(first_done_, now_);
    EXPECT_EQ(why(gate), comes_first("one", "0 of 1"));
    now_ += 20s;
    gate.look(first_done_, now_);
    see(gate, first_done_);
    EXPECT_EQ(why(gate), comes_first("one", "0 of 1"));
    see(gate, {at(1, "AA"), at(2, "b"), at(2, "c"), at(3, "d")});
    EXPECT_EQ(kind(gate), Kind::open);
}

TEST_F(WaveGateTest, NoUnitRestartsWhileAnotherHostDoesNotServe) {
    WaveGate gate = changed(1);
    see(gate, {at(1, "A"), at(2, "b"), at(2, "c")});
    EXPECT_EQ(why(gate), "Cloudflare lists 0 of 1 connectors of three");
    see(gate, {at(1, "A"), at(3, "d")});
    EXPECT_EQ(kind(gate), Kind::open) << "its own units are its own affair";
}

TEST_F(WaveGateTest, AConnectorOfNoHostCountsForNone) {
    WaveGate gate = changed(1);
    see(gate, {at(1, "A"), at(2, "b"), at(2, "c"), at(9, "x")});
    EXPECT_EQ(why(gate), "Cloudflare lists 0 of 1 connectors of three");
}

TEST_F(WaveGateTest, TwoListsMustAgree) {
    WaveGate gate = changed(1);
    now_ += 15s;
    gate.look(first_done_, now_);
    EXPECT_EQ(why(gate), "the connectors of other hosts have just changed");
    now_ += 14s;
    gate.look(first_done_, now_);
    EXPECT_EQ(kind(gate), Kind::closed);
    now_ += 30s;
    EXPECT_EQ(kind(gate), Kind::closed) << "time alone is no second list";
    gate.look({at(1, "A"), at(2, "b"), at(2, "c"), at(3, "e")}, now_);
    EXPECT_EQ(kind(gate), Kind::closed) << "another connector of the same host";
    see(gate, first_done_);
    EXPECT_EQ(kind(gate), Kind::open);
}

TEST_F(WaveGateTest, ItsOwnRestartsAreNoChangeOfOthers) {
    WaveGate gate = changed(1);
    see(gate, first_done_);
    now_ += 15s;
    gate.look({at(1, "A"), at(2, "B"), at(2, "c"), at(3, "d")}, now_);
    EXPECT_EQ(kind(gate), Kind::open);
}

TEST_F(WaveGateTest, WaitsAsLongAsSomethingChangesAndThenAPersonDecides) {
    WaveGate gate = changed(2);
    see(gate, before_);
    EXPECT_EQ(kind(gate), Kind::closed);
    now_ += 2h;
    gate.look(first_done_, now_);
    EXPECT_EQ(kind(gate), Kind::closed);
    now_ += 2h + 15min;
    const WaveGate::Verdict verdict = gate.may_restart(now_);
    EXPECT_EQ(verdict.kind, Kind::refused);
    EXPECT_EQ(verdict.error.fault, Fault::silent);
    EXPECT_EQ(
        verdict.error.text,
        "two comes first: 0 of 2 connectors there are known to have the new token, and there has "
        "been no progress for 2h 15m. Look at that host. If it is gone for ever, remove it from "
        "`hosts` on all hosts and reload keyturnd there. Then, or if its units have restarted "
        "since "
        "the change, run `keyturnctl retry web` here");
}

/// It comes and goes, and never gets any further.
TEST_F(WaveGateTest, AUnitThatCrashesAgainAndAgainIsNoProgress) {
    WaveGate gate = changed(1);
    see(gate, before_);
    Kind last = kind(gate);
    for (int i = 0; i < 300 && last != Kind::refused; ++i) {
        const bool up = i % 2 == 0;
        see(gate, up ? List{at(1, "a"), at(3, "d" + std::to_string(i))} : List{at(1, "a")});
        last = kind(gate);
    }
    EXPECT_EQ(last, Kind::refused);
}

TEST_F(WaveGateTest, AnOutageOfCloudflareIsNoReasonToHold) {
    WaveGate gate = changed(1);
    see(gate, before_);
    EXPECT_EQ(kind(gate), Kind::closed);
    now_ += 5h;
    gate.look(before_, now_);
    EXPECT_EQ(kind(gate), Kind::closed) << "the other hosts could do nothing either";
}

/// `for host in ...; do keyturnctl retry; done`, long after the others were seen to change.
TEST_F(WaveGateTest, TwoHostsThatAreRetriedAtOnceDoNotRestartAtOnce) {
    WaveGate second = changed(1);
    WaveGate third = changed(2);
    for (WaveGate* gate : {&second, &third}) gate->acknowledge();
    std::vector<BootTime> opened;
    for (WaveGate* gate : {&second, &third}) {
        BootTime now = now_ + 1h;
        gate->look(before_, now);
        while (gate->may_restart(now).kind != Kind::open) {
            now += 5s;
            gate->look(before_, now);
        }
        opened.push_back(now);
    }
    EXPECT_GE(opened[1] - opened[0], 30s);
}

TEST_F(WaveGateTest, AfterARetryTheProofIsNotNeededButTheOthersAre) {
    WaveGate gate = changed(2);
    see(gate, first_done_);
    gate.acknowledge();
    see(gate, {at(1, "A"), at(2, "b"), at(3, "d")});
    EXPECT_EQ(why(gate), "Cloudflare lists 1 of 2 connectors of two");
    see(gate, first_done_);
    EXPECT_EQ(kind(gate), Kind::closed) << "an earlier host may restart at the same time";
    see(gate, first_done_);
    EXPECT_EQ(kind(gate), Kind::closed);
    see(gate, first_done_);
    EXPECT_EQ(kind(gate), Kind::open);
}

TEST_F(WaveGateTest, ASecondChangeBeforeThisHostHasRestartedIsForAPerson) {
    WaveGate gate = changed(1);
    begin(gate, "third", before_);
    see(gate, first_done_);
    const WaveGate::Verdict verdict = gate.may_restart(now_);
    EXPECT_EQ(verdict.kind, Kind::refused);
    EXPECT_EQ(verdict.error.fault, Fault::conflict);
    EXPECT_THAT(verdict.error.text, HasSubstr("the token changed again"));
    gate.acknowledge();
    see(gate, before_);
    EXPECT_EQ(why(gate), comes_first("one", "0 of 1")) << "the order stays";
    see(gate, first_done_);
    EXPECT_EQ(kind(gate), Kind::open);
}

/// A token that is replaced as compromised while the hosts still restart for the one before.
TEST_F(WaveGateTest, AHostMayChangeTheTokenTwice) {
    WaveGate gate = changed(0);
    gate.begin("third", Author::this_host, before_, now_);
    now_ += 17min;
    see(gate, before_);
    EXPECT_EQ(kind(gate), Kind::open);
}

TEST_F(WaveGateTest, ASecondChangeAfterThisHostHasRestartedIsAnotherChange) {
    WaveGate gate = changed(1);
    see(gate, two_done_);
    gate.finish();
    begin(gate, "third", two_done_);
    see(gate, two_done_);
    EXPECT_EQ(why(gate), comes_first("one", "0 of 1"));
}

TEST_F(WaveGateTest, AHostThatIsDoneWaitsOnlyForTheOthersToServe) {
    WaveGate gate = changed(2);
    gate.finish();
    see(gate, before_);
    now_ += 1min;
    gate.look(before_, now_);
    EXPECT_EQ(kind(gate), Kind::closed) << "others may want to restart, too";
    now_ += 30s;
    gate.look(before_, now_);
    EXPECT_EQ(kind(gate), Kind::closed);
    now_ += 45s;
    gate.look(before_, now_);
    EXPECT_EQ(kind(gate), Kind::open) << "a unit that a person started with an older token";
    see(gate, {at(1, "a"), at(2, "b"), at(3, "d")});
    EXPECT_EQ(kind(gate), Kind::closed);
}

TEST_F(WaveGateTest, WhatItKnewGoesOnAfterARestartOfKeyturnd) {
    WaveGate before = changed(1);
    WaveGate gate(policy_, 1, WaveTimes(), before.memories());
    EXPECT_TRUE(gate.knows("new"));
    EXPECT_EQ(why(gate), "Cloudflare's list of connectors has not been read yet");
    see(gate, before_);
    EXPECT_EQ(why(gate), comes_first("one", "0 of 1"));
    see(gate, first_done_);
    EXPECT_EQ(kind(gate), Kind::open);
}

TEST_F(WaveGateTest, TheFirstHostWaitsAnewAfterARestartOfKeyturnd) {
    WaveGate before = changed(0);
    now_ += 10min;
    WaveGate gate(policy_, 0, WaveTimes(), before.memories());
    see(gate, before_);
    now_ += 10min;
    gate.look(before_, now_);
    EXPECT_EQ(kind(gate), Kind::closed);
    now_ += 7min;
    gate.look(before_, now_);
    EXPECT_EQ(kind(gate), Kind::open);
}

TEST_F(WaveGateTest, RotatesOnlyOnceAllHostsServeWithTheToken) {
    WaveGate gate = changed(0);
    see(gate, first_done_);
    gate.finish();
    EXPECT_THAT(*gate.reason_not_to_rotate(),
                HasSubstr("not all hosts are known to have restarted"));
    see(gate, {at(1, "A"), at(2, "B"), at(2, "C"), at(3, "D")});
    EXPECT_EQ(gate.reason_not_to_rotate(), std::nullopt);
    see(gate, {at(1, "A"), at(2, "B"), at(3, "D")});
    EXPECT_EQ(*gate.reason_not_to_rotate(),
              "Cloudflare lists 1 of 2 connectors of two: repair that host first; if it is gone "
              "for ever, remove it from `hosts` on all hosts");
    EXPECT_THAT(gate.absences(), ElementsAre("Cloudflare lists 1 of 2 connectors of two"));
}

TEST_F(WaveGateTest, NamesAHostThatHasMoreConnectorsThanUnits) {
    WaveGate gate = gate_of(0);
    see(gate, before_);
    EXPECT_THAT(gate.surpluses(), IsEmpty());
    see(gate, {at(1, "a"), at(2, "b"), at(2, "c"), at(3, "d"), at(3, "thief")});
    EXPECT_THAT(gate.surpluses(),
                ElementsAre("Cloudflare lists 2 connectors of three, but `hosts` says 1: correct "
                            "`units`, or find out who else looks like this host"));
}

TEST_F(WaveGateTest, ATokenOnWhichTheTunnelIsIdleIsNoChange) {
    WaveGate gate(policy_, 0, WaveTimes(), {});
    EXPECT_FALSE(gate.knows("old"));
    gate.settle_on("old");
    EXPECT_TRUE(gate.knows("old"));
    see(gate, before_);
    EXPECT_EQ(gate.reason_not_to_rotate(), std::nullopt);
    EXPECT_EQ(kind(gate), Kind::closed);
    see(gate, before_);
    EXPECT_EQ(kind(gate), Kind::open);
}

TEST_F(WaveGateTest, ManyHostsLookLessOften) {
    WaveGate gate = gate_of(0);
    EXPECT_TRUE(gate.wants_a_list(now_));
    gate.look(before_, now_);
    EXPECT_FALSE(gate.wants_a_list(now_ + 14s));
    EXPECT_TRUE(gate.wants_a_list(now_ + 15s));
    for (int i = 4; i <= 25; ++i) {
        policy_.coordinator->hosts.push_back({"h", "", "keyturn-" + std::to_string(i), 1});
    }
    WaveGate large = gate_of(0);
    large.look(before_, now_);
    EXPECT_FALSE(large.wants_a_list(now_ + 49s));
    EXPECT_TRUE(large.wants_a_list(now_ + 50s));
}

TEST_F(WaveGateTest, ShowsEachHostOnALine) {
    WaveGate gate = changed(1);
    see(gate, first_done_);
    EXPECT_EQ(gate.describe(),
              "  one          1 of 1 connectors listed, 1 known to have the new token; rotates\n"
              "  two          2 of 2 connectors listed, 0 known to have the new token; this host\n"
              "  three        1 of 1 connectors listed, 0 known to have the new token\n");
}

}  // namespace
}  // namespace keyturn
