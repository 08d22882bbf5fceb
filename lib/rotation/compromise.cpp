// A side story: the token is in wrong hands. A new secret at once, whatever else is going on; then
// whoever else is attached is dropped; then our own units, without waiting between them.

#include "base/invariant.hpp"
#include "rotation/asking.hpp"
#include "rotation/preflight.hpp"
#include "rotation/rotation.hpp"
#include "rotation/verification.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {

namespace {

/// How long Cloudflare may go on listing somebody who was dropped.
constexpr Milliseconds lockout_deadline = std::chrono::minutes{2};

/// Who sets another secret more often than this after ours is stronger than we are.
constexpr int resends_max = 3;

}  // namespace

/// Ends where the roll-out begins.
Script<> Rotation::compromise() {
    if (record_.phase == Phase::preflight || record_.phase == Phase::prepare) {
        co_await plan_without_judging();
        co_await prepare();
        co_await commit(false);
    } else if (record_.phase == Phase::commit) {
        co_await commit(true);
    } else if (record_.phase != Phase::finish) {
        co_await deliver_again();
    }
    if (record_.phase == Phase::finish) co_return;
    if (!record_.evicted) co_await evict();
    const WipeOldSecret wipe;
    std::string purpose = "cannot wipe the old secret";
    co_await insist(wipe, std::move(purpose));
    if (record_.evict_all) co_await restart_all();
}

/// Drops who is attached with the old token: everybody, or everybody but ours.
Script<> Rotation::evict() {
    if (record_.evict_all) {
        const EvictConnector everybody;
        std::string purpose = "cannot drop the tunnel's connections";
        co_await insist(everybody, std::move(purpose));
        outage_began_ = now_;
        say(EventKind::connector_evicted, Priority::warning,
            fmt::format("All connections of {} were dropped, its own units' too",
                        inputs_.policy.name),
            {}, "all");
    } else {
        co_await evict_foreign();
    }
    record_.evicted = true;
    co_await save(record_.phase);
}

/// Where one of ours does not say who it is, nobody is dropped yet: it has another connector after
/// its restart, and then everybody else is.
Script<> Rotation::evict_foreign() {
    const std::vector<Connector> connectors = co_await list_connectors();
    // After the list: whoever of ours was restarted in between is in neither.
    const SampleUnits::Value samples = co_await sample();
    const auto silent = std::ranges::find_if_not(samples, tells_its_connector);
    if (silent != samples.end()) {
        say(EventKind::drift_unknown, Priority::warning,
            fmt::format("{} does not tell its connector: who is attached to {} besides its own "
                        "units is dropped after their restart",
                        silent->state.name, inputs_.policy.name));
        co_return;
    }
    for (const Connector& connector : foreign_connectors(connectors, samples)) {
        std::string described = describe(connector);
        co_await evict_connector(connector.id, std::move(described));
    }
}

Script<> Rotation::evict_connector(std::string id, std::string described) {
    EvictConnector question;
    question.id = std::move(id);
    std::string purpose = "cannot drop a connector at Cloudflare";
    co_await insist(std::move(question), std::move(purpose));
    say(EventKind::connector_evicted, Priority::warning,
        fmt::format("{} was dropped from {}: it is none of its units", described,
                    inputs_.policy.name));
}

/// Somebody set yet another secret: ours is sent again, the same one.
Script<> Rotation::send_again() {
    if (++resends_ > resends_max) {
        resends_ = 0;
        std::string reason = "foreign_rotation";
        std::string text =
            "after a compromise Cloudflare goes on showing another secret than ours; find out who "
            "sets it, take their access to the account away, then retry";
        co_await hold(std::move(reason), std::move(text));
    }
    const CommitSecret commit_secret;
    std::string purpose = "cannot give the new secret to Cloudflare";
    static_cast<void>(co_await insist(commit_secret, std::move(purpose)));
    say(EventKind::secret_committed, Priority::warning,
        fmt::format("Cloudflare showed another secret of {} than ours: it was given ours again",
                    inputs_.policy.name));
}

/// None of ours is connected any more, and none can be without a restart: all at once, in one
/// batch. Each is proven afterwards as in every roll-out.
Script<> Rotation::restart_all() {
    std::vector<std::string> dropped;
    const SampleUnits::Value samples = co_await sample();
    const BootTime sampled = now_;
    for (std::size_t i = 0; i < record_.units.size(); ++i) {
        UnitProgress& unit = record_.units[i];
        if (unit.step != UnitStep::waiting || samples[i].state.active_state == "inactive") continue;
        dropped.push_back(unit.name);
        unit.batch = 1;
        begin_restart(unit, samples[i]);
    }
    if (dropped.empty()) co_return;  // Nothing runs, or all is under way since before a crash.
    record_.batch = 1;
    co_await save(Phase::roll);
    say(EventKind::batch_started, Priority::notice,
        fmt::format("Batch 1 of {} of {}: all at once", record_.batch_count(),
                    inputs_.policy.name));
    for (const std::string& unit : dropped) {
        RestartUnit question;
        question.unit = unit;
        question.not_after = sampled + sample_age_max;
        say(EventKind::unit_restarting, Priority::notice, fmt::format("Restarting {}", unit), unit);
        // Whether it happened, the look at each unit that follows tells.
        static_cast<void>(co_await ask(std::move(question)));
    }
}

/// Until Cloudflare has listed nobody but ours, and all of them, twice in a row; or the token
/// changed underneath.
Script<> Rotation::lock_out() {
    BootTime deadline = now_ + lockout_deadline;
    int clean = 0;
    begin_step(lockout_deadline);
    for (;;) {
        const std::size_t waits = waits_;
        const std::vector<Connector> connectors = co_await list_connectors();
        const SampleUnits::Value samples = co_await sample();
        if (waits_ != waits) deadline = now_ + lockout_deadline;
        const std::vector<Connector> foreign = foreign_connectors(connectors, samples);
        const std::vector<std::string> absent = units_absent_from(connectors);
        clean = foreign.empty() && absent.empty() ? clean + 1 : 0;
        if (clean == 2) break;
        if (const auto replaced = replaced_among(absent, samples)) {
            co_await verify_replacement(*replaced);
            if (all_over_again_) co_return;
            begin_step(lockout_deadline);
            deadline = now_ + lockout_deadline;
            continue;
        }
        // Where one of ours does not say who it is, it may be among them.
        const bool known = std::ranges::all_of(samples, tells_its_connector);
        for (const Connector& connector : foreign) {
            std::string described = describe(connector);
            if (known) co_await evict_connector(connector.id, std::move(described));
        }
        if (now_ >= deadline) {
            std::string reason = "not_locked_out";
            std::string text = "Cloudflare does not list our own connectors, and those alone";
            std::string unit = absent.empty() ? "" : absent.front();
            co_await hold(std::move(reason), std::move(text), std::move(unit));
        }
        co_await sleep_for(list_interval);
    }
    end_step();
    say(EventKind::locked_out, Priority::notice, lockout_sentence(), {}, "done");
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
    // The wall clock may have been set back meanwhile.
    const Milliseconds took = wall_now_ - record_.started;
    if (took >= Milliseconds{0}) text += fmt::format(", {} after the alarm", to_text(took));
    if (outage_) text += fmt::format("; none of them was connected for {}", to_text(*outage_));
    return text;
}

/// Ours were dropped with all others: until the first of them is back.
void Rotation::note_outage(const SampleUnits::Value& samples) {
    for (std::size_t i = 0; i < samples.size(); ++i) {
        if (!serves_anew(i, samples)) continue;
        outage_ = now_ - *outage_began_;
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
