#include "rotation/eviction.hpp"

#include "rotation/hurried_plan.hpp"
#include "rotation/preflight.hpp"
#include "rotation/token_handover.hpp"

#include <fmt/ranges.h>

#include <algorithm>

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

Script<> Eviction::evict() {
    if (record_.request.evict_all) {
        const EvictConnector everybody;
        std::string purpose = "cannot drop the tunnel's connections";
        co_await insist(everybody, std::move(purpose));
        context_.outage_began = now_;
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
Script<> Eviction::evict_strangers() {
    std::optional<BootTime> alarmed;
    std::optional<BootTime> doubt_since;
    for (;;) {
        if (!plan_.known()) co_await plan_.make_late();
        const std::vector<Connector> listed = co_await list_connectors();
        const BootTime listed_at = now_;
        const std::optional<SampleUnits::Value> samples = co_await look_at_units();
        const bool of_one_moment = now_ - listed_at <= list_age_max;
        const Attached attached = sort_out(listed, samples);
        for (const Connector& stranger : attached.strangers) {
            co_await drop(stranger, true);
        }
        context_.strangers = attached.doubtful;
        if (attached.doubtful.empty()) break;
        if (!doubt_since) tell_doubt(attached);
        doubt_since = doubt_since.value_or(now_);
        const bool late = now_ >= handover_.taken_at() + doubt_max &&
                          now_ >= *doubt_since + doubt_min && of_one_moment;
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
    context_.strangers.clear();
    waited_for_it();
}

/// Nothing where systemd does not answer, or it is not known yet which units there are.
Script<std::optional<SampleUnits::Value>> Eviction::look_at_units() {
    SampleUnits question;
    question.names = unit_names();
    std::optional<SampleUnits::Value> samples;
    if (question.names.empty() && !plan_.known()) co_return samples;
    auto answer = co_await ask(std::move(question));
    if (!answer) co_return samples;
    take_in(*answer);
    samples = std::move(*answer);
    co_return samples;
}

Attached Eviction::sort_out(const std::vector<Connector>& listed,
                            const std::optional<SampleUnits::Value>& samples) {
    Attached attached = sort_connectors(listed, record_.units, samples, context_.proven);
    note_origins(context_.proven, attached.ours);
    context_.strangers = attached.strangers;
    context_.strangers.insert(context_.strangers.end(), attached.doubtful.begin(),
                              attached.doubtful.end());
    return attached;
}

void Eviction::tell_doubt(const Attached& attached) {
    std::vector<std::string> described;
    for (const Connector& connector : attached.doubtful) described.push_back(describe(connector));
    say(EventKind::drift_unknown, Priority::warning,
        fmt::format("It cannot be told whether this is a unit of {}: {}. What is not surely its "
                    "own {} after the new secret is dropped",
                    inputs_.policy.name, fmt::join(described, "; "), to_text(doubt_max)));
}

/// Why our units could not be restarted now: the bus, or polkit.
Script<std::optional<std::string>> Eviction::restart_path_problem() {
    std::optional<std::string> problem;
    InspectUnits question;
    question.must_know = false;
    const auto units = co_await ask(std::move(question));
    if (!units) {
        problem = units.error().text;
        co_return problem;
    }
    if (!plan_.known()) problem = "it is not known yet which units there are";
    for (const InspectUnits::Unit& unit : *units) {
        if (unit.not_allowed && !unit.surge) problem = *unit.not_allowed;
    }
    co_return problem;
}

void Eviction::tell_blocked(const std::string& why) {
    std::string text = fmt::format(
        "somebody may still be attached to {} with the stolen token. Who is not surely one of its "
        "units is not dropped yet, because its units could not be restarted afterwards: {}",
        inputs_.policy.name, why);
    wait_for(text);
    say(EventKind::lockout_blocked, Priority::alert, with_strangers(text), {}, "waiting");
}

/// One of them may be ours: the units that may have been dropped with them are restarted at once.
Script<> Eviction::evict_doubtful(Attached attached, SampleUnits::Value samples) {
    for (const Connector& connector : attached.doubtful) {
        co_await drop(connector, false);
    }
    bool nobody_left = true;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const SampleUnits::Sample& sample = samples[i];
        UnitProgress& unit = record_.units[i];
        const ProvenConnector* proven = nullptr;
        for (const ProvenConnector& one : context_.proven) {
            if (one.unit == unit.name) proven = &one;
        }
        const bool stays =
            proven != nullptr && proven->invocation == sample.state.invocation &&
            std::ranges::find(attached.ours, proven->id, &Connector::id) != attached.ours.end();
        if (stays) nobody_left = false;
        unit.dropped = sample.state.started() && !stays && unit.step == UnitStep::waiting;
    }
    if (nobody_left) context_.outage_began = now_;
}

Script<> Eviction::drop(Connector connector, bool surely_foreign) {
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

void Eviction::note_evicted(std::string described) {
    std::vector<std::string>& evicted = view_.lock_out.evicted;
    const bool known = std::ranges::find(evicted, described) != evicted.end();
    if (!known && evicted.size() < evicted_told_max) evicted.push_back(std::move(described));
}

}  // namespace keyturn
