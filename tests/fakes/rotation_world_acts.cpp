// The effect of each action on the API, the disk and the clock of that world.

#include "base/invariant.hpp"
#include "fakes/rotation_world.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {

ReadToken::Holder RotationWorld::holder_of(Token token) const {
    if (token == Token::foreign || (token == Token::old && old_wiped)) {
        return ReadToken::Holder::other;
    }
    return token == fresh() ? ReadToken::Holder::ours : ReadToken::Holder::previous;
}

std::string RotationWorld::fingerprint_of(Token token) const {
    if (token == Token::ours) return ours_fingerprint;
    return token == Token::old ? "old" : "theirs";
}

Result<InspectTunnel::Value> RotationWorld::act(const InspectTunnel&) {
    return InspectTunnel::Value{tunnel_deleted};
}

Result<ReadToken::Value> RotationWorld::act(const ReadToken&) {
    ReadToken::Value value;
    const Token shown = token_shown.value_or(api_token);
    value.holder = holder_of(shown);
    value.fingerprint = fingerprint_of(shown);
    value.clock_ahead = Milliseconds{0};
    return value;
}

Result<ListConnectors::Value> RotationWorld::act(const ListConnectors&) {
    std::vector<Connector> connectors = foreign_connectors;
    connectors.insert(connectors.end(), ghosts.begin(), ghosts.end());
    for (const auto& [name, unit] : units) {
        if (!SampleUnits::Sample{unit.state, unit.readiness, ""}.serves()) continue;
        if (unit.fate == Fate::not_listed && unit.restarts > 0) continue;
        const std::string& tunnel = unit.readiness->tunnel;
        if (!tunnel.empty() && tunnel != tunnel_id) continue;
        connectors.push_back(Connector{unit.readiness->connector_id, "192.0.2.1", "", "",
                                       unit.readiness->connections});
    }
    return connectors;
}

Result<CheckFiles::Value> RotationWorld::act(const CheckFiles&) {
    return CheckFiles::Value{file_emptied ? "" : fingerprint_of(file_token),
                             file_of_another_tunnel};
}

Result<PrepareSecret::Value> RotationWorld::act(const PrepareSecret& action) {
    const bool superseded_one =
        pending_kept && !action.superseded.empty() && kept_rotation == action.superseded;
    if (superseded_one) {
        // The API's token is the old one from now on, whoever made it.
        for (auto& [name, unit] : units) {
            if (unit.token == api_token) unit.token = Token::old;
        }
        if (file_token == api_token) file_token = Token::old;
        api_token = Token::old;
        taken_back = false;
    }
    if (!pending_kept || superseded_one) {
        ++secrets_made;
        ours_fingerprint = "new";
        kept_rotation = fmt::format("{}123456789abcdef0123456789abcdef", secrets_made - 1);
    }
    pending_kept = true;
    return PrepareSecret::Value{kept_rotation, "old", "new"};
}

Result<void> RotationWorld::act(const SaveRecord& action) {
    disk_record = action.record;
    return {};
}

Result<CommitSecret::Value> RotationWorld::act(const CommitSecret&) {
    const bool durable =
        disk_record && (disk_record->phase == Phase::commit || disk_record->phase == Phase::revert);
    const bool sent_again = disk_record && disk_record->compromised() && disk_record->committed;
    invariant(pending_kept && (durable || sent_again),
              "the secret must be kept and the record durable before the PATCH");
    invariant(!taken_back || disk_record->reverts(), "the old secret is sent only in a revert");
    ++patches;
    api_token = fresh();
    return CommitSecret::Value{true};
}

Result<DeliverToken::Value> RotationWorld::act(const DeliverToken&) {
    file_token = fresh();
    file_emptied = false;
    return DeliverToken::Value{std::chrono::microseconds{800}};
}

Result<void> RotationWorld::act(const PutBackToken&) {
    file_token = taken_back ? Token::ours : Token::old;
    return {};
}

Result<void> RotationWorld::act(const TakeBackSecret& action) {
    taken_back = action.fingerprint == "old";
    return {};
}

Result<void> RotationWorld::act(const WipeOldSecret&) {
    invariant(api_token == Token::ours, "nothing that is still needed may be wiped");
    old_wiped = true;
    return {};
}

Result<void> RotationWorld::act(const EvictConnector& action) {
    std::erase_if(foreign_connectors, [&](const Connector& connector) {
        return (action.id.empty() || connector.id == action.id) && !foreign_come_back;
    });
    for (auto& [name, unit] : units) {
        if (!unit.readiness) continue;
        const bool meant = unit.readiness->connector_id == action.id &&
                           std::ranges::find(order, name) != order.end();
        invariant(!meant || !unit.silent.empty(), "our own connectors are not dropped one by one");
        invariant(!meant || file_token == api_token, "the new token must be delivered before that");
        const bool dropped = (action.id.empty() || meant) && unit.token != api_token;
        if (dropped) unit.readiness->connections = 0;
    }
    return {};
}

Result<KeepToken::Value> RotationWorld::act(const KeepToken& action) {
    const std::string now_held = fingerprint_of(api_token);
    if (now_held != action.fingerprint) return KeepToken::Value{"", now_held};
    if (action.fresh_id) {
        if (!pending_kept) kept_rotation = fmt::format("{:032x}", next_id_++);
        pending_kept = true;
        taken_back = api_token == Token::old;
        return KeepToken::Value{kept_rotation, now_held};
    }
    ours_fingerprint = now_held;
    // Their token counts as ours from now on, and our own is as dead as the old one.
    api_token = Token::ours;
    file_token = Token::old;
    taken_back = false;
    for (auto& [name, unit] : units) unit.token = Token::old;
    return KeepToken::Value{"fedcba9876543210fedcba9876543210", now_held};
}

Result<void> RotationWorld::act(const Wait& action) {
    const Milliseconds passed = std::max(Milliseconds{0}, Milliseconds{action.until - now});
    now += passed;
    wall_now += passed;
    let_time_pass();
    return {};
}

Result<void> RotationWorld::act(const ForgetSecrets&) {
    pending_kept = false;
    return {};
}

Result<void> RotationWorld::act(const Conclude& action) {
    disk_record.reset();
    history.push_back(action.entry);
    return {};
}

}  // namespace keyturn
