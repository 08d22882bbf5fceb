#include "rotation/chapter.hpp"

#include "base/counted.hpp"
#include "rotation/health_watch.hpp"
#include "rotation/revert.hpp"
#include "rotation/standstill.hpp"

#include <fmt/ranges.h>

#include <set>

namespace keyturn {

namespace {

/// True if the unit serves with the new token, as the process that our restart created.
bool serves_anew(const UnitProgress& unit, const SampleUnits::Sample& sample) {
    const bool restarted = unit.step == UnitStep::restarting || unit.step == UnitStep::verified;
    return restarted && sample.serves() && sample.readiness->connector_id != unit.connector_before;
}

}  // namespace

Script<SampleUnits::Value> Chapter::sample() {
    SampleUnits question{unit_names()};
    SampleUnits::Value samples = co_await insist(std::move(question), "systemd does not answer");
    invariant(samples.size() == record_.units.size(), "every unit must be sampled");
    take_in(samples);
    co_return samples;
}

Script<SampleUnits::Sample> Chapter::sample_one(std::size_t index) {
    SampleUnits question{{record_.units[index].name}};
    const SampleUnits::Value own = co_await insist(std::move(question), "systemd does not answer");
    invariant(own.size() == 1, "the unit must be sampled");
    SampleUnits::Value samples = view_.samples;
    samples[index] = own.front();
    take_in(samples);
    co_return own.front();
}

void Chapter::take_in(const SampleUnits::Value& samples) {
    view_.samples = samples;
    note_proven(context_.proven, samples);
    if (context_.outage_began) note_outage(samples);
}

Script<std::vector<Connector>> Chapter::list_connectors() {
    co_return co_await insist<ListConnectors>("cannot list the tunnel's connectors at Cloudflare");
}

Script<> Chapter::sleep_for(Milliseconds duration) {
    const Wait wait{now_ + duration};
    do {
        // Only a clock can fail to wait, and then nothing is better than to continue.
        const auto waited = co_await ask(wait);
        if (context_.revert_wanted) co_await obey();
        if (!waited) co_return;
    } while (now_ < wait.until);
}

Script<> Chapter::save(Phase phase) {
    record_.phase = phase;
    view_.phase = phase;
    SaveRecord question{record_};
    co_await insist(std::move(question), "cannot write the state of the rotation");
}

Script<> Chapter::enter(Phase phase, std::string purpose) {
    SaveRecord question{record_};
    question.record.phase = phase;
    co_await insist(std::move(question), std::move(purpose));
    record_.phase = phase;
    view_.phase = phase;
}

Script<> Chapter::wait_out(Error error, std::string purpose, std::size_t attempt) {
    ++context_.waits;
    begin_waiting(fmt::format("{}: {}", purpose, error.text));
    const Milliseconds pause = pause_after(attempt, error);
    co_await sleep_for(pause);
}

void Chapter::begin_waiting(std::string reason) {
    const bool first = view_.state != RotationState::waiting;
    view_.state = RotationState::waiting;
    view_.reason = with_strangers(std::move(reason));
    if (!first) return;
    say(EventKind::rotation_waiting, Priority::warning,
        fmt::format("The rotation of {} waits and continues automatically: {}", inputs_.policy.name,
                    view_.reason),
        {}, "waiting");
}

void Chapter::waited_enough() {
    if (view_.state != RotationState::waiting || context_.waits_for_more) return;
    view_.state = RotationState::running;
    say(EventKind::rotation_continued, Priority::notice,
        fmt::format("The rotation of {} continues", inputs_.policy.name));
    view_.reason.clear();
}

void Chapter::wait_for(std::string reason) {
    context_.waits_for_more = true;
    begin_waiting(std::move(reason));
}

void Chapter::waited_for_it() {
    context_.waits_for_more = false;
    waited_enough();
}

Script<> Chapter::stand_still() {
    if (!stands_still()) co_return;
    waited_for_it();
    Standstill standstill(context_);
    co_await standstill.pause();
}

Script<> Chapter::obey() {
    context_.revert_wanted = false;
    if (!can_revert(inputs_, record_)) co_return;
    const bool untouched = record_.phase == Phase::preflight || record_.phase == Phase::prepare;
    std::string why = untouched ? "an operator called it off" : "an operator asked for it";
    if (untouched) co_await refuse(std::move(why));
    co_await go_back(std::move(why));
}

Never Chapter::hold(HoldReason reason, std::string text, std::string unit) {
    return {context_, Ending::held(reason, std::move(text), std::move(unit))};
}

Never Chapter::refuse(std::string text) {
    return {context_, Ending::refused(std::move(text))};
}

Never Chapter::go_back(std::string why) {
    return {context_, Ending::go_back(std::move(why))};
}

Never Chapter::start_over() {
    return {context_, Ending::start_over()};
}

void Chapter::begin_step(Milliseconds duration) {
    view_.step = RotationView::Step{now_, now_ + duration, wall_now_};
}

void Chapter::end_step() {
    view_.step.reset();
}

void Chapter::say(EventKind kind, Priority priority, std::string message, std::string unit,
                  std::string result) {
    Event event{kind, priority, std::move(message), inputs_.policy.name, inputs_.policy.tunnel};
    event.rotation_id = record_.rotation_id;
    event.target_unit = std::move(unit);
    if (record_.batch > 0) event.batch = fmt::format("{}/{}", record_.batch, record_.batch_count());
    event.phase = name_of(record_.phase);
    event.result = std::move(result);
    event.fingerprint = record_.new_fingerprint;
    context_.events.push_back(std::move(event));
}

void Chapter::tell_decays(const HealthFinding& finding) {
    for (const HealthFinding::Decay& decay : finding.decays) {
        say(EventKind::replica_decaying, Priority::warning,
            fmt::format("{} is down to {} of {} and cannot get them back before it is "
                        "restarted",
                        decay.unit, decay.connections, counted(decay.baseline, "connection")),
            decay.unit);
    }
}

std::vector<std::string> Chapter::unit_names() const {
    std::vector<std::string> names;
    names.reserve(record_.units.size());
    for (const UnitProgress& unit : record_.units) names.push_back(unit.name);
    return names;
}

std::string_view Chapter::wanted_one() const {
    if (record_.keeps_token()) return "current";
    return record_.reverts() ? "old" : "new";
}

/// The RESULT of an event that begins a rotation or continues it: what is special about it.
std::string_view Chapter::kind_word() const {
    if (record_.compromised()) return "compromised";
    return record_.keeps_token() ? name_of(record_.request.kind) : "";
}

bool Chapter::ends_after_delivery() const {
    return record_.takes_over() && inputs_.policy.drift.restart == DriftRestart::never;
}

std::string Chapter::with_strangers(std::string text) const {
    const std::vector<Connector>& strangers = context_.strangers;
    if (!record_.compromised() || strangers.empty()) return text;
    std::set<std::string> addresses;
    for (const Connector& stranger : strangers) {
        addresses.insert(stranger.origin_ip.empty() ? "an unknown address" : stranger.origin_ip);
    }
    return fmt::format(
        "{}; {} connected that may not be ours (from {}): `keyturnctl rotate {} "
        "--compromised --evict-all` drops all connectors",
        text, counted(strangers.size(), "connector is", "connectors are"),
        fmt::join(addresses, ", "), inputs_.policy.name);
}

/// Measures the outage after our own connectors were dropped too, until the first one is back.
void Chapter::note_outage(const SampleUnits::Value& samples) {
    for (std::size_t i = 0; i < samples.size(); ++i) {
        if (!serves_anew(record_.units[i], samples[i])) continue;
        view_.lock_out.outage = now_ - *context_.outage_began;
        context_.outage_began.reset();
        return;
    }
}

}  // namespace keyturn
