// The last chapter: the API has to list ours and nothing from before; then the secrets go.

#include "base/invariant.hpp"
#include "rotation/asking.hpp"
#include "rotation/rotation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace keyturn {

namespace {

std::string_view what_became_of_it(const RotationRecord& record) {
    if (record.ends_on_foreign_token()) return "taken over";
    return record.reverts() ? "the old one again" : "rotated";
}

}  // namespace

/// Returns only if the token changed underneath: then every unit is to be restarted again.
Script<> Rotation::finish() {
    if (!ends_after_delivery()) {
        invariant(everyone_proven(), "no unit is left behind on the old token");
        co_await save(Phase::finish);
        if (record_.compromised) co_await lock_out();
        if (all_over_again_) co_return;
        // The last batch, too, has to stay healthy for a while; nobody is left to be promoted.
        const Milliseconds span = inputs_.policy.rollout.min_healthy_time;
        static_cast<void>(co_await watch(span, span));
        if (all_over_again_) co_return;
        if (!record_.compromised) co_await await_api_list();
    }
    const bool still_ours = co_await token_is_still_ours();
    if (!still_ours) co_return;
    co_await keep_token_file();  // Nobody else has that token, once ours is wiped.
    // Durable before the secrets go: without them the API's token cannot be told from a stranger's.
    record_.proven = true;
    co_await save(Phase::finish);
    co_await conclude();
}

/// Never returns.
Script<> Rotation::conclude() {
    const ForgetSecrets forget;
    std::string purpose = "cannot wipe the kept secrets";
    co_await insist(forget, purpose);
    std::string text = closing_sentence();
    Conclude conclude;
    conclude.entry = history_entry(text);
    purpose = "cannot write the history";
    co_await insist(std::move(conclude), purpose);
    say(EventKind::rotation_done, Priority::notice, text, {}, "done");
    view_.reason = std::move(text);
    view_.state = RotationState::done;
    co_await std::suspend_always();
}

/// Waits until the API lists the connector of every restarted unit and none from before the commit.
Script<> Rotation::await_api_list() {
    BootTime deadline = now_ + inputs_.policy.rollout.healthy_deadline;
    begin_step(inputs_.policy.rollout.healthy_deadline);
    for (;;) {
        const std::size_t waits = waits_;
        const std::vector<Connector> connectors = co_await list_connectors();
        if (waits_ != waits) deadline = now_ + inputs_.policy.rollout.healthy_deadline;
        const std::vector<std::string> absent = units_absent_from(connectors);
        const std::vector<std::string> stragglers = stragglers_in(connectors);
        if (absent.empty() && stragglers.empty()) break;
        if (now_ >= deadline && !absent.empty()) {
            std::string text = fmt::format("Cloudflare does not list the new connector of {}",
                                           fmt::join(absent, ", "));
            co_await hold("not_listed", std::move(text), absent.front());
        }
        if (now_ >= deadline) {
            say(EventKind::straggler_seen, Priority::warning,
                fmt::format(
                    "Cloudflare still lists connectors of {} from before the new secret: {}. "
                    "They hold a dead token and cannot come back once they drop",
                    inputs_.policy.name, fmt::join(stragglers, ", ")));
            break;
        }
        co_await sleep_for(list_interval);
    }
    end_step();
}

Script<Rotation::Listing> Rotation::listing_of(std::string connector) {
    const ListConnectors list;
    const auto listed = co_await ask(list);
    if (!listed) co_return Listing::unknown;
    co_return lists(*listed, connector) ? Listing::listed : Listing::absent;
}

std::vector<std::string> Rotation::units_absent_from(
    const std::vector<Connector>& connectors) const {
    std::vector<std::string> absent;
    for (const UnitProgress& unit : record_.units) {
        const bool expected = unit.step == UnitStep::verified && !unit.connector_after.empty();
        if (expected && !lists(connectors, unit.connector_after)) absent.push_back(unit.name);
    }
    return absent;
}

std::vector<std::string> Rotation::stragglers_in(const std::vector<Connector>& connectors) const {
    std::vector<std::string> stragglers;
    for (const std::string& id : record_.connectors_before) {
        if (lists(connectors, id)) stragglers.push_back(id);
    }
    return stragglers;
}

std::string Rotation::closing_sentence() const {
    const auto verified =
        std::ranges::count(record_.units, UnitStep::verified, &UnitProgress::step);
    if (ends_after_delivery()) {
        return fmt::format(
            "The token {} that somebody else gave {} is delivered; `drift: {{restart: never}}` "
            "leaves it to you to restart the units",
            record_.new_fingerprint, inputs_.policy.name);
    }
    std::string text =
        fmt::format("The token of {} is {}: {} units serve with {}", inputs_.policy.name,
                    what_became_of_it(record_), verified, record_.new_fingerprint);
    // The wall clock may have been set back meanwhile.
    const Milliseconds took = wall_now_ - record_.started;
    if (took >= Milliseconds{0}) text += fmt::format(", after {}", to_text(took));
    if (record_.reverts()) text += ". Why: " + record_.reverting;
    if (record_.compromised) text += ". " + lockout_sentence();
    return text;
}

HistoryEntry Rotation::history_entry(const std::string& text) const {
    HistoryEntry entry;
    entry.rotation_id = record_.rotation_id;
    entry.trigger = record_.trigger;
    entry.outcome = "done";
    if (record_.reverts()) entry.outcome = "reverted";
    if (record_.ends_on_foreign_token()) entry.outcome = "taken over";
    entry.text = text;
    entry.started = record_.started;
    entry.ended = wall_now_;
    entry.old_fingerprint = record_.old_fingerprint;
    entry.new_fingerprint = record_.new_fingerprint;
    entry.units = record_.units;
    return entry;
}

}  // namespace keyturn
