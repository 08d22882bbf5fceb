#pragma once

#include "fakes/sample_state.hpp"
#include "fakes/web_tunnel.hpp"
#include "fleet/document.hpp"
#include "fleet/keys.hpp"
#include "token/random.hpp"
#include "token/token.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

// A fleet in which every member of every part is set.

namespace keyturn {

inline const std::string fleet_id = "f1e2d3c4b5a6978877665544332211f0";
inline const std::string fleet_rotation = "0123456789abcdef0123456789abcdef";

inline constexpr std::string_view fleet_keys_text =
    "# the newest first\n"
    "k1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
    "\n"
    "old-1 ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100\n";

inline FleetKeys fleet_keys(std::string_view text = fleet_keys_text) {
    Result<FleetKeys> keys = FleetKeys::read(text);
    EXPECT_TRUE(keys) << keys.error().text;
    return std::move(*keys);
}

/// A token of the sample's tunnel whose secret is 32 times this letter.
inline Secret fleet_token(char letter, const std::string& tunnel = tunnel_id) {
    return encode_token(
        TunnelToken{account_id, tunnel, Secret::copy_of(std::string(secret_size_min, letter)), {}});
}

inline PendingTokens fleet_tokens() {
    return PendingTokens{fleet_rotation, fleet_token('N'), fleet_token('O')};
}

/// The bytes 0xa0, 0xa1, ...
class CountingRandom final : public Random {
  public:
    Result<Secret> bytes(std::size_t size) override {
        Secret bytes(size);
        for (std::size_t i = 0; i < size; ++i) bytes.data()[i] = static_cast<char>(0xa0 + i);
        return bytes;
    }
};

inline MemberUnit sample_member_unit(const std::string& name) {
    MemberUnit unit;
    unit.setup.name = name;
    unit.setup.problem = "its token comes from another file";
    unit.setup.stop_and_start = Milliseconds(105'000);
    unit.setup.surge = true;
    unit.setup.not_allowed = "polkit did not answer";
    unit.setup.passed_over = true;
    unit.setup.findings = {"its user cannot read the file"};
    unit.setup.elsewhere = true;
    unit.seen.state = UnitState{name,      "loaded",
                                "active",  "running",
                                "success", "0f0e0d0c0b0a09080706050403020100",
                                4242,      0xffff'ffff'ffff'fffe,
                                true};
    unit.seen.readiness = Readiness{"11111111-2222-3333-4444-555555555555", tunnel_id, 4, true};
    unit.seen.unasked = "no answer";
    return unit;
}

inline FleetMember sample_member(char digit) {
    FleetMember member;
    member.install = std::string(32, digit);
    member.mark = std::string(16, digit);
    member.eligible = true;
    member.speaks = {1, 2};
    member.version = "0.9";
    member.keys = {"k1", "old-1"};
    member.policy = "00112233445566aa";
    member.min_available = 1;
    member.answers = 12;
    member.file = "ffeeddccbbaa0099";
    member.staged = fleet_rotation;
    member.problem = "the disk is full; \"make room\"";
    member.lacks = "Cloudflare cannot be reached";
    member.units = {sample_member_unit(a)};
    return member;
}

inline std::string sample_host(int number) {
    return "host-" + std::to_string(number);
}

/// The record of a rotation over one unit of each host.
inline TunnelState sample_fleet_state(int hosts) {
    TunnelState state = sample_state();
    RotationRecord& rotation = *state.rotation;
    rotation.request.trigger = "operator said \"now\" \xc3\xa9";
    rotation.request.units = {"host-1/" + a};
    rotation.old_fingerprint = fingerprint_of(*decode_token(fleet_token('O').reveal()));
    rotation.new_fingerprint = fingerprint_of(*decode_token(fleet_token('N').reveal()));
    rotation.units.clear();
    rotation.connectors_before.clear();
    for (int host = 1; host <= hosts; ++host) {
        rotation.units.push_back(
            sample_unit(fleet_unit(sample_host(host), a), UnitStep::restarting));
        rotation.connectors_before.push_back(rotation.units.back().connector_before);
    }
    rotation.hold->unit = rotation.units.back().name;
    state.starts = {{rotation.units.front().name, "0123456789abcdef0123456789abcdef",
                     "00112233445566aa", true}};
    return state;
}

inline FleetTurn sample_turn() {
    FleetTurn turn;
    turn.number = 7;
    turn.unit = "host-2/" + a;
    turn.rotation_id = fleet_rotation;
    turn.verb = RestartVerb::restart;
    turn.deadline = Milliseconds(120'000);
    turn.hurried = true;
    turn.state = TurnState::ended;
    turn.invocation_before = "0f0e0d0c0b0a09080706050403020100";
    turn.result = JobResult::timeout;
    turn.fault = Fault::busy;
    turn.why = "the check is too old";
    turn.not_reset = "systemd did not answer";
    return turn;
}

inline FleetDocument sample_fleet(int hosts = 2) {
    FleetDocument document;
    document.fleet = fleet_id;
    document.account = account_id;
    document.tunnel = tunnel_id;
    document.rev = 184;
    document.nonce = "0011223344556677";
    document.writer = "host-1";
    document.epoch = 7;
    document.lead = FleetLead{"host-1", 311};
    document.rules = RolloutPolicy{3,
                                   true,
                                   Milliseconds(1),
                                   Milliseconds(2),
                                   Milliseconds(3),
                                   2,
                                   Milliseconds(4),
                                   Milliseconds(5),
                                   Milliseconds(6),
                                   SurgeUse::never,
                                   true,
                                   OnFailure::revert};
    document.state = sample_fleet_state(hosts);
    document.last = sample_entry("00000000000000000000000000000001");
    document.deliver = document.state.rotation->new_fingerprint;
    document.ask = 12;
    document.turns = {sample_turn()};
    document.turns_granted = 7;
    document.order = FleetOrder{4,
                                3,
                                "8899aabbccddeeff",
                                OrderKind::rotate,
                                document.state.rotation->request,
                                "host-2",
                                "a rotation is open"};
    for (int host = 1; host <= hosts; ++host) {
        document.members.emplace(sample_host(host),
                                 sample_member(static_cast<char>('0' + host % 10)));
    }
    CountingRandom random;
    document.sealed = *fleet_keys().seal(document, random, fleet_tokens());
    return document;
}

}  // namespace keyturn
