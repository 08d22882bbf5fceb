#include "rotation/eviction.hpp"

#include "rotation/hurried_plan.hpp"
#include "rotation/preflight.hpp"
#include "rotation/token_handover.hpp"

#include <fmt/ranges.h>

#include <algorithm>

namespace keyturn {

namespace {

/// How long after the new secret a connector may stay that is not known to be ours.
constexpr Milliseconds doubt_max = std::chrono::seconds{30};

/// How long at least it may stay after the first doubt, because the API's list may be outdated.
constexpr Milliseconds doubt_min = std::chrono::seconds{25};

/// If checking the units takes longer than this, the result no longer matches the list. It is more
/// than systemd and /ready take when they do not answer at all.
constexpr Milliseconds list_age_max = std::chrono::seconds{10};

/// Somebody can attach any number of connectors. At most this many dropped ones are reported.
constexpr std::size_t evicted_told_max = 50;

/// How often a blocked eviction is reported, and how often it is checked again.
constexpr Milliseconds alarm_interval = std::chrono::minutes{1};
constexpr Milliseconds blocked_interval = std::chrono::seconds{10};

}  // namespace

Script<> Eviction::evict() {
    if (record_.request.evict_all) {
        const EvictConnector everybody;
        co_await insist(everybody, "cannot drop the tunnel's connections");
        context_.outage_began = now_;
        say(EventKind::connector_evicted, Priority::warning,
            fmt::format("Dropped all connections of {}, including those of its own units",
                        inputs_.policy.name),
            {}, "all");
        note_evicted("all connections, including those of its own units");
    } else {
        co_await evict_strangers();
    }
    record_.evicted = true;
    co_await save(record_.phase);
}

/// Drops somebody else's connectors at once. Drops doubtful ones after a short time as well,
/// because a thief must not stay just because one of our units is silent. A doubtful connector may
/// be ours, and then it cannot come back without a restart. So it is dropped only while our units
/// can certainly be restarted.
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

/// Returns nothing if systemd does not answer, or the units are not known yet.
Script<std::optional<SampleUnits::Value>> Eviction::look_at_units() {
    SampleUnits question{unit_names()};
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
        fmt::format("Unknown whether this is a unit of {}: {}. keyturnd drops connectors that are "
                    "still unknown {} after the new secret",
                    inputs_.policy.name, fmt::join(described, "; "), to_text(doubt_max)));
}

/// Why our units could not be restarted now, because of the bus or polkit; nothing if they could.
Script<std::optional<std::string>> Eviction::restart_path_problem() {
    std::optional<std::string> problem;
    const InspectUnits question{.must_know = false};
    const auto units = co_await ask(question);
    if (!units) {
        problem = units.error().text;
        co_return problem;
    }
    if (!plan_.known()) problem = "the units of the tunnel are not known yet";
    for (const InspectUnits::Unit& unit : *units) {
        if (unit.not_allowed && !unit.surge) problem = *unit.not_allowed;
    }
    co_return problem;
}

void Eviction::tell_blocked(const std::string& why) {
    std::string text = fmt::format(
        "somebody may still be connected to {} with the stolen token. keyturnd does not drop "
        "doubtful connectors yet, because it could not restart the tunnel's units afterwards: {}",
        inputs_.policy.name, why);
    wait_for(text);
    say(EventKind::lockout_blocked, Priority::alert, with_strangers(text), {}, "waiting");
}

/// Drops doubtful connectors. One of them may be ours, so the units that may have been dropped with
/// them are then restarted at once.
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
    EvictConnector question{connector.id};
    co_await insist(std::move(question), "cannot drop a connector at Cloudflare");
    waited_for_it();
    std::string described = describe(connector);
    say(EventKind::connector_evicted, Priority::warning,
        fmt::format("Dropped {} of tunnel {}: {}", described, inputs_.policy.name,
                    surely_foreign ? "it does not belong to the tunnel's units"
                                   : "it is unknown whether it belongs to the tunnel's units"),
        {}, surely_foreign ? "" : "doubtful");
    note_evicted(std::move(described));
}

void Eviction::note_evicted(std::string described) {
    std::vector<std::string>& evicted = view_.lock_out.evicted;
    const bool known = std::ranges::find(evicted, described) != evicted.end();
    if (!known && evicted.size() < evicted_told_max) evicted.push_back(std::move(described));
}

}  // namespace keyturn
