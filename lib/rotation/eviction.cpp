// After a compromise: who is attached, and who has to go.

#include "base/invariant.hpp"
#include "rotation/asking.hpp"
#include "rotation/attached.hpp"
#include "rotation/preflight.hpp"
#include "rotation/rotation.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace keyturn {

namespace {

/// So long after the new secret what is not surely ours may stay.
constexpr Milliseconds doubt_max = std::chrono::seconds{30};

/// And so long at least after the first doubt: the list of the API may be behind.
constexpr Milliseconds doubt_min = std::chrono::seconds{25};

/// A look at the units that ends later says nothing about who is on the list. More than systemd and
/// /ready take when they do not answer at all.
constexpr Milliseconds list_age_max = std::chrono::seconds{10};

/// A stranger can attach any number of connectors; that many of those that were dropped are told.
constexpr std::size_t evicted_told_max = 50;

/// How often it is said, and looked at anew, that it has to stay longer.
constexpr Milliseconds alarm_interval = std::chrono::minutes{1};
constexpr Milliseconds blocked_interval = std::chrono::seconds{10};

}  // namespace

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
        note_evicted("all connections, its own units' too");
    } else {
        co_await evict_strangers();
    }
    record_.evicted = true;
    co_await save(record_.phase);
}

/// Strangers go at once. What cannot be told goes after a short time, too: a thief must not stay
/// because one of our units is silent. It may be ours then, which cannot come back without a
/// restart; so it goes only while we surely can restart our units.
Script<> Rotation::evict_strangers() {
    std::optional<BootTime> alarmed;
    std::optional<BootTime> doubt_since;
    for (;;) {
        if (!planned_) co_await plan_units_late();
        const std::vector<Connector> listed = co_await list_connectors();
        const BootTime listed_at = now_;
        const std::optional<SampleUnits::Value> samples = co_await look_at_units();
        const bool of_one_moment = now_ - listed_at <= list_age_max;
        const Attached attached = sort_out(listed, samples);
        for (const Connector& stranger : attached.strangers) {
            co_await evict_connector(stranger, true);
        }
        strangers_ = attached.doubtful;
        if (attached.doubtful.empty()) break;
        if (!doubt_since) tell_doubt(attached);
        doubt_since = doubt_since.value_or(now_);
        const bool late =
            now_ >= taken_at_ + doubt_max && now_ >= *doubt_since + doubt_min && of_one_moment;
        std::optional<std::string> blocked;
        if (late) blocked = co_await restart_path_problem();
        if (late && !blocked && samples) {
            co_await evict_doubtful(attached, *samples);
            break;
        }
        if (blocked && (!alarmed || now_ >= *alarmed + alarm_interval)) {
            alarmed = now_;
            tell_blocked(*blocked);
        }
        const Milliseconds pause = blocked ? blocked_interval : list_interval;
        co_await sleep_for(pause);
    }
    strangers_.clear();
    waited_for_it();
}

/// Nothing where systemd does not answer, or it is not known yet which units there are.
Script<std::optional<SampleUnits::Value>> Rotation::look_at_units() {
    SampleUnits question;
    question.names = unit_names();
    std::optional<SampleUnits::Value> samples;
    if (question.names.empty() && !planned_) co_return samples;
    auto answer = co_await ask(std::move(question));
    if (!answer) co_return samples;
    take_in(*answer);
    samples = std::move(*answer);
    co_return samples;
}

Attached Rotation::sort_out(const std::vector<Connector>& listed,
                            const std::optional<SampleUnits::Value>& samples) {
    Attached attached = sort_connectors(listed, record_.units, samples, proven_);
    note_origins(proven_, attached.ours);
    strangers_ = attached.strangers;
    strangers_.insert(strangers_.end(), attached.doubtful.begin(), attached.doubtful.end());
    return attached;
}

void Rotation::tell_doubt(const Attached& attached) {
    std::vector<std::string> described;
    for (const Connector& connector : attached.doubtful) described.push_back(describe(connector));
    say(EventKind::drift_unknown, Priority::warning,
        fmt::format("It cannot be told whether this is a unit of {}: {}. What is not surely its "
                    "own {} after the new secret is dropped",
                    inputs_.policy.name, fmt::join(described, "; "), to_text(doubt_max)));
}

/// Why our units could not be restarted now: the bus, or polkit.
Script<std::optional<std::string>> Rotation::restart_path_problem() {
    std::optional<std::string> problem;
    InspectUnits question;
    question.must_know = false;
    const auto units = co_await ask(std::move(question));
    if (!units) {
        problem = units.error().text;
        co_return problem;
    }
    if (!planned_) problem = "it is not known yet which units there are";
    for (const InspectUnits::Unit& unit : *units) {
        if (unit.not_allowed && !unit.surge) problem = *unit.not_allowed;
    }
    co_return problem;
}

void Rotation::tell_blocked(const std::string& why) {
    std::string text = fmt::format(
        "somebody may still be attached to {} with the stolen token. Who is not surely one of its "
        "units is not dropped yet, because its units could not be restarted afterwards: {}",
        inputs_.policy.name, why);
    wait_for(text);
    say(EventKind::lockout_blocked, Priority::alert, with_strangers(text), {}, "waiting");
}

/// One of them may be ours: the units that may have been dropped with them are restarted at once.
Script<> Rotation::evict_doubtful(Attached attached, SampleUnits::Value samples) {
    for (const Connector& connector : attached.doubtful) {
        co_await evict_connector(connector, false);
    }
    bool nobody_left = true;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const SampleUnits::Sample& sample = samples[i];
        UnitProgress& unit = record_.units[i];
        const ProvenConnector* proven = nullptr;
        for (const ProvenConnector& one : proven_) {
            if (one.unit == unit.name) proven = &one;
        }
        const bool stays =
            proven != nullptr && proven->invocation == sample.state.invocation &&
            std::ranges::find(attached.ours, proven->id, &Connector::id) != attached.ours.end();
        if (stays) nobody_left = false;
        unit.dropped = sample.state.started() && !stays && unit.step == UnitStep::waiting;
    }
    if (nobody_left) outage_began_ = now_;
}

/// `surely_foreign`: else it may be one of ours, whose unit does not tell its connector.
Script<> Rotation::evict_connector(Connector connector, bool surely_foreign) {
    EvictConnector question;
    question.id = connector.id;
    std::string purpose = "cannot drop a connector at Cloudflare";
    co_await insist(std::move(question), std::move(purpose));
    waited_for_it();
    std::string described = describe(connector);
    say(EventKind::connector_evicted, Priority::warning,
        fmt::format("{} was dropped from {}: {}", described, inputs_.policy.name,
                    surely_foreign ? "it is none of its units"
                                   : "it could not be told whether it is one of its units"),
        {}, surely_foreign ? "" : "doubtful");
    note_evicted(std::move(described));
}

void Rotation::note_evicted(std::string described) {
    std::vector<std::string>& evicted = view_.lock_out.evicted;
    const bool known = std::ranges::find(evicted, described) != evicted.end();
    if (!known && evicted.size() < evicted_told_max) evicted.push_back(std::move(described));
}

/// For a compromise that stands still: how many are attached who are not ours, and what ends it.
std::string Rotation::with_strangers(std::string text) const {
    if (!record_.compromised || strangers_.empty()) return text;
    std::set<std::string> addresses;
    for (const Connector& stranger : strangers_) {
        addresses.insert(stranger.origin_ip.empty() ? "an unknown address" : stranger.origin_ip);
    }
    return fmt::format(
        "{}; {} {} attached that {} not surely ours (from {}): `keyturnctl rotate {} --compromised "
        "--evict-all` drops everybody",
        text, strangers_.size(), strangers_.size() == 1 ? "connector is" : "connectors are",
        strangers_.size() == 1 ? "is" : "are", fmt::join(addresses, ", "), inputs_.policy.name);
}

}  // namespace keyturn
