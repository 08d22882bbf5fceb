// The end of a compromise: Cloudflare has to list ours, and nobody else.

#include "base/invariant.hpp"
#include "rotation/asking.hpp"
#include "rotation/attached.hpp"
#include "rotation/rotation.hpp"
#include "rotation/verification.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace keyturn {

namespace {

/// How long Cloudflare may go on listing somebody who was dropped.
constexpr Milliseconds lockout_deadline = std::chrono::minutes{2};

/// So long a unit may be silent at the end before what cannot be told is dropped once more.
constexpr Milliseconds doubt_patience = std::chrono::seconds{10};

/// Who is listed this long after it was dropped has come back, with the new token.
constexpr Milliseconds comeback_max = std::chrono::seconds{30};

}  // namespace

/// Until Cloudflare has listed nobody but ours, and all of them, twice in a row; or the token
/// changed underneath. Every unit has the new token by now, and comes back by itself when its
/// connector is dropped; a thief does not. So where a unit does not tell its connector, what cannot
/// be told is dropped once more, and who stays has the new token.
Script<> Rotation::lock_out() {
    BootTime deadline = now_ + lockout_deadline;
    std::map<std::string, BootTime> doubted;
    std::map<std::string, BootTime> dropped;
    int clean = 0;
    begin_step(lockout_deadline);
    for (;;) {
        const std::size_t waits = waits_;
        const std::vector<Connector> connectors = co_await list_connectors();
        const SampleUnits::Value samples = co_await sample();
        if (waits_ != waits) deadline = now_ + lockout_deadline;
        const Attached attached = sort_out(connectors, samples);
        const std::vector<std::string> absent = units_absent_from(connectors);
        if (const auto replaced = replaced_among(absent, samples)) {
            co_await verify_replacement(*replaced);
            if (all_over_again_) co_return;
            begin_step(lockout_deadline);
            deadline = now_ + lockout_deadline;
            continue;
        }
        std::vector<Connector> going;
        bool doubt = false;
        std::erase_if(doubted,
                      [&](const auto& one) { return !lists(attached.doubtful, one.first); });
        for (const Connector& connector : attached.doubtful) {
            const auto before = dropped.find(connector.id);
            const bool settled = before != dropped.end() && now_ - before->second >= comeback_max;
            doubt = doubt || !settled;
            // The list may be older than what the units tell; the next one is not.
            const BootTime since = doubted.try_emplace(connector.id, now_).first->second;
            if (before == dropped.end() && now_ - since >= doubt_patience) {
                dropped.emplace(connector.id, now_);
                going.push_back(connector);
            }
        }
        clean = attached.strangers.empty() && !doubt && absent.empty() ? clean + 1 : 0;
        if (clean == 2) break;
        for (const Connector& stranger : attached.strangers) {
            co_await evict_connector(stranger, true);
        }
        for (const Connector& connector : going) co_await evict_connector(connector, false);
        if (now_ >= deadline) co_await hold_for_lockout(absent);
        co_await sleep_for(list_interval);
    }
    end_step();
    strangers_.clear();
    // The wall clock may have been set back meanwhile.
    const Milliseconds took = wall_now_ - record_.started;
    if (took >= Milliseconds{0}) view_.lock_out.after = took;
    say(EventKind::locked_out, Priority::notice, lockout_sentence(), {}, "done");
}

Script<> Rotation::hold_for_lockout(std::vector<std::string> absent) {
    std::string reason = "not_locked_out";
    std::string text = "Cloudflare does not list our own connectors, and those alone";
    std::string unit = absent.empty() ? "" : absent.front();
    co_await hold(std::move(reason), std::move(text), std::move(unit));
}

/// Of these units one that serves as another process than the one that was verified.
std::optional<std::string> Rotation::replaced_among(const std::vector<std::string>& units,
                                                    const SampleUnits::Value& samples) const {
    for (const std::string& unit : units) {
        const std::size_t index = index_of(unit);
        if (runs_as_another(record_.units[index], samples[index])) return unit;
    }
    return std::nullopt;
}

std::string Rotation::lockout_sentence() const {
    std::string text =
        fmt::format("Cloudflare lists nobody but the own units of {}", inputs_.policy.name);
    const LockOut& lock_out = view_.lock_out;
    if (lock_out.after) text += fmt::format(", {} after the alarm", to_text(*lock_out.after));
    if (lock_out.outage)
        text += fmt::format("; none of them was connected for {}", to_text(*lock_out.outage));
    return text;
}

/// Ours were dropped with all others: until the first of them is back.
void Rotation::note_outage(const SampleUnits::Value& samples) {
    for (std::size_t i = 0; i < samples.size(); ++i) {
        if (!serves_anew(i, samples)) continue;
        view_.lock_out.outage = now_ - *outage_began_;
        outage_began_.reset();
        return;
    }
}

bool Rotation::serves_anew(std::size_t index, const SampleUnits::Value& samples) const {
    const UnitProgress& unit = record_.units[index];
    const SampleUnits::Sample& sample = samples[index];
    const bool restarted = unit.step == UnitStep::restarting || unit.step == UnitStep::verified;
    return restarted && sample.serves() && sample.readiness->connector_id != unit.connector_before;
}

}  // namespace keyturn
