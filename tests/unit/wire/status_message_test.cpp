#include "wire/status_message.hpp"

#include "unit/wire/bus_message.hpp"
#include "wire/names.hpp"
#include "wire/tunnel_properties.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string_view>
#include <tuple>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::BusMessage;

/// A status in which no member has its default value.
TunnelStatus full_status() {
    TunnelStatus status;
    status.name = "web";
    status.tunnel = "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415";
    status.state = "held";
    status.kind = "compromise";
    status.phase = "roll";
    status.reason = "größer → 4";
    status.hold_reason = "verification_failed";
    status.rotation_id = "3f2a";
    status.last_outcome = "done";
    status.trigger = "laptop lost";
    status.fingerprint = "fedcba9876543210";
    status.batch = 1;
    status.batch_count = 2;
    status.units = {{"cloudflared-web@a.service", "verified", 1, 4, "systemd, ready"},
                    {"cloudflared-web@b.service", "waiting", 2, -1, ""}};
    status.started = WallTime{1772332200001ms};
    status.step_started = WallTime{1772332200002ms};
    status.step_ends = WallTime{1772332200003ms};
    status.last_done = WallTime{1772332200004ms};
    status.due = WallTime{1772332200005ms};
    status.due_cause = "window";
    status.findings = {"the API token is refused", ""};
    status.notes = {"token unknown"};
    status.held_unit = "cloudflared-web@b.service";
    status.can_revert = true;
    status.evicted = {"a connector from 192.0.2.1"};
    status.lockout = 1500ms;
    status.outage = 1ms;
    status.health = {{"cloudflared-web@a.service", "serving", "current", "fedcba9876543210", 4}};
    status.expected_end = WallTime{1772332200006ms};
    status.last_ended = WallTime{1772332200007ms};
    status.last_check = WallTime{1772332200008ms};
    status.check_fails_since = WallTime{1772332200009ms};
    return status;
}

template <class Action>
void for_each_property(Action action) {
    std::apply([&](const auto&... property) { (action(property), ...); }, tunnel_properties);
}

/// Writes properties as sd-bus writes them for keyturnd.
class StatusWriter {
  public:
    explicit StatusWriter(sd_bus_message* message) : message_(message) {}

    /// All properties except `left_out`.
    StatusWriter& properties(const TunnelStatus& status, std::string_view left_out = "") {
        for_each_property([&](const auto& property) {
            using Type = typename std::remove_cvref_t<decltype(property)>::Type;
            if (property.name == left_out) return;
            property_of(property.name, Type::signature.text,
                        [&] { Type::append(message_, status.*property.member); });
        });
        return *this;
    }

    template <class Append>
    StatusWriter& property_of(const char* name, const char* signature, Append append) {
        open('e', "sv");
        EXPECT_GE(sd_bus_message_append(message_, "s", name), 0);
        open('v', signature);
        append();
        return close().close();
    }

    StatusWriter& open(char type, const char* contents) {
        EXPECT_GE(sd_bus_message_open_container(message_, type, contents), 0) << contents;
        return *this;
    }
    StatusWriter& close() {
        EXPECT_GE(sd_bus_message_close_container(message_), 0);
        return *this;
    }

  private:
    sd_bus_message* message_;
};

/// Reads the properties that `write` has put into a dictionary.
template <class Write>
int read_back(TunnelStatus& status, Write write) {
    BusMessage message;
    StatusWriter writer(message.get());
    writer.open('a', "{sv}");
    write(writer, message.get());
    writer.close();
    return read_properties(message.sent(), status);
}

TEST(TunnelProperties, AreAllMembersOfAStatus) {
    // A new member breaks this line. It needs a property and a value in full_status().
    const auto& [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w, x, y, z, aa,
                 bb, cc, dd, ee, ff] = full_status();
    static_cast<void>(std::tie(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p, q, r, s, t, u, v, w,
                               x, y, z, aa, bb, cc, dd, ee, ff));
    std::set<std::string_view> names;
    for_each_property([&](const auto& property) {
        names.insert(property.name);
        EXPECT_NE(full_status().*property.member, TunnelStatus{}.*property.member) << property.name;
    });
    EXPECT_EQ(names.size(), 32U) << "a name is there twice, or a member has no property";
    EXPECT_EQ(std::tuple_size_v<decltype(tunnel_properties)>, 32U);
}

/// Both sides use one table, so only this test notices a name beside the wrong member.
TEST(StatusMessage, HasTheNamesAndValuesThatProgramsRelyOn) {
    BusMessage message;
    StatusWriter(message.get()).open('a', "{sv}").properties(full_status()).close();
    EXPECT_EQ(testing::text_of(message.sent()),
              "[[Name [web]] [TunnelId [f70ff985-a4ef-4643-bbbc-4a0ed4fc8415]] [State [held]] "
              "[Kind [compromise]] [Phase [roll]] [Reason [größer → 4]] [HoldReason "
              "[verification_failed]] "
              "[RotationId [3f2a]] [LastOutcome [done]] [Trigger [laptop lost]] "
              "[Fingerprint [fedcba9876543210]] [DueCause [window]] [Batch [1]] [BatchCount [2]] "
              "[Units [[[cloudflared-web@a.service verified 1 4 systemd, ready] "
              "[cloudflared-web@b.service waiting 2 -1 ]]]] "
              "[Findings [[the API token is refused ]]] [Notes [[token unknown]]] "
              "[HeldUnit [cloudflared-web@b.service]] [CanRevert [1]] "
              "[Evicted [[a connector from 192.0.2.1]]] [Lockout [1500000]] [Outage [1000]] "
              "[Started [1772332200001000]] [StepStarted [1772332200002000]] "
              "[StepEnds [1772332200003000]] [LastDone [1772332200004000]] "
              "[Due [1772332200005000]] "
              "[Health [[[cloudflared-web@a.service serving current fedcba9876543210 4]]]] "
              "[ExpectedEnd [1772332200006000]] [LastEnded [1772332200007000]] "
              "[LastCheck [1772332200008000]] [CheckFailsSince [1772332200009000]]]");
}

TEST(StatusMessage, BringsEveryMemberToTheOtherSide) {
    TunnelStatus status;
    const TunnelStatus sent = full_status();
    ASSERT_GE(read_back(status, [&](auto& writer, auto*) { writer.properties(sent); }), 0);
    EXPECT_EQ(status, sent);
}

TEST(StatusMessage, BringsTheDefaultsToTheOtherSide) {
    TunnelStatus status = full_status();
    ASSERT_GE(read_back(status, [&](auto& writer, auto*) { writer.properties({}); }), 0);
    EXPECT_EQ(status, TunnelStatus{});
}

TEST(StatusMessage, WritesADurationThatRoundsToNothingAsTheShortest) {
    TunnelStatus sent;
    sent.lockout = 0ms;
    TunnelStatus status;
    ASSERT_GE(read_back(status, [&](auto& writer, auto*) { writer.properties(sent); }), 0);
    EXPECT_EQ(status.lockout, 1ms);
}

TEST(StatusMessage, WritesAMomentBeforeTheEpochAsNone) {
    TunnelStatus sent;
    sent.due = WallTime{-1ms};
    TunnelStatus status;
    ASSERT_GE(read_back(status, [&](auto& writer, auto*) { writer.properties(sent); }), 0);
    EXPECT_EQ(status.due, std::nullopt);
}

TEST(StatusMessage, ReplacesBytesThatWouldEndTheConnection) {
    TunnelStatus sent;
    sent.reason = "cut \xE2\x86";
    sent.findings = {"\xFF"};
    sent.units = {{"\xC3.service", "", 0, 0, ""}};
    TunnelStatus status;
    ASSERT_GE(read_back(status, [&](auto& writer, auto*) { writer.properties(sent); }), 0);
    EXPECT_EQ(status.reason, "cut ??");
    EXPECT_EQ(status.findings.at(0), "?");
    EXPECT_EQ(status.units.at(0).name, "?.service");
}

TEST(StatusMessage, KeepsTheDefaultOfAPropertyThatAnOlderDaemonHasNot) {
    const TunnelStatus sent = full_status();
    for_each_property([&](const auto& property) {
        TunnelStatus status;
        ASSERT_GE(
            read_back(status, [&](auto& writer, auto*) { writer.properties(sent, property.name); }),
            0);
        TunnelStatus expected = sent;
        expected.*property.member = TunnelStatus{}.*property.member;
        EXPECT_EQ(status, expected) << property.name;
    });
}

TEST(StatusMessage, SkipsWhatANewerDaemonHasInAddition) {
    const auto write = [](StatusWriter& writer, sd_bus_message* message) {
        const auto append_nested = [&] {
            EXPECT_GE(sd_bus_message_append(message, "a(sv)", 1, "deep", "as", 1, "er"), 0);
        };
        writer.property_of("Nested", "a(sv)", append_nested);
        writer.properties(full_status());
        writer.property_of("Statr", "s", [&] { sd_bus_message_append(message, "s", "idle"); });
        writer.property_of("state", "s", [&] { sd_bus_message_append(message, "s", "idle"); });
    };
    TunnelStatus status;
    ASSERT_GE(read_back(status, write), 0);
    EXPECT_EQ(status, full_status());
}

TEST(StatusMessage, RefusesAPropertyOfAnotherType) {
    for_each_property([&](const auto& property) {
        TunnelStatus status;
        const auto write = [&](StatusWriter& writer, sd_bus_message* message) {
            writer.property_of(property.name, "y", [&] { sd_bus_message_append(message, "y", 1); });
        };
        EXPECT_LT(read_back(status, write), 0) << property.name;
    });
}

/// An object of GetManagedObjects with the properties of a tunnel.
void append_tunnel(StatusWriter& writer, sd_bus_message* message, const TunnelStatus& tunnel) {
    writer.open('e', "oa{sa{sv}}");
    EXPECT_GE(sd_bus_message_append(message, "o", tunnel_path(tunnel.name).c_str()), 0);
    writer.open('a', "{sa{sv}}");
    for (const char* interface : {"org.freedesktop.DBus.Peer", tunnel_interface}) {
        writer.open('e', "sa{sv}");
        EXPECT_GE(sd_bus_message_append(message, "s", interface), 0);
        writer.open('a', "{sv}");
        if (interface == tunnel_interface) writer.properties(tunnel);
        writer.close().close();
    }
    writer.close().close();
}

TEST(StatusMessage, ReadsTheTunnelsOfAllObjectsByName) {
    BusMessage message;
    StatusWriter writer(message.get());
    TunnelStatus other = full_status();
    other.name = "api.v2";
    writer.open('a', "{oa{sa{sv}}}");
    append_tunnel(writer, message.get(), full_status());
    append_tunnel(writer, message.get(), other);
    writer.close();
    std::vector<TunnelStatus> tunnels;
    ASSERT_GE(read_managed_objects(message.sent(), tunnels), 0);
    EXPECT_THAT(tunnels, ::testing::ElementsAre(other, full_status()));
}

TEST(StatusMessage, RefusesAnAnswerOfAnotherType) {
    BusMessage message;
    ASSERT_GE(sd_bus_message_append(message.get(), "as", 1, "web"), 0);
    std::vector<TunnelStatus> tunnels;
    EXPECT_LT(read_managed_objects(message.sent(), tunnels), 0);
}

}  // namespace
}  // namespace keyturn
