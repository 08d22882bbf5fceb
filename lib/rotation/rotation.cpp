#include "rotation/rotation.hpp"

#include "base/invariant.hpp"
#include "rotation/asking.hpp"
#include "rotation/verification.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {

namespace {

/// How often a held rotation looks at its units, to raise the alarm when it becomes urgent.
constexpr Milliseconds hold_watch_interval = std::chrono::seconds{30};

}  // namespace

Rotation::Rotation(RotationInputs inputs, BootTime now, WallTime wall_now)
    : inputs_(std::move(inputs)), now_(now), wall_now_(wall_now) {
    if (inputs_.record) {
        record_ = *inputs_.record;
    } else {
        record_.trigger = inputs_.trigger;
        record_.accept_gap = inputs_.accept_gap;
        record_.scheduled = inputs_.scheduled;
        record_.takes_over = inputs_.takes_over;
        record_.compromised = inputs_.compromised;
        record_.evict_all = inputs_.evict_all;
        record_.superseded = inputs_.superseded;
        record_.adoptions = inputs_.adoptions;
        record_.started = wall_now;
        record_.phase = Phase::preflight;
    }
    view_.phase = record_.phase;
    taken_at_ = now;
    proven_ = inputs_.proven;
    for (const UnitProgress& unit : record_.units) {
        if (unit.connector_after.empty()) continue;
        proven_.push_back({unit.name, unit.invocation_after, unit.connector_after, ""});
    }
    story_ = tell();
    story_.start();
}

void Rotation::answer(Answer answer, BootTime now, WallTime wall_now) {
    invariant(!ended(), "an ended rotation asks nothing");
    invariant(answer.index() == action_->index(), "the answer is to the action that was asked");
    now_ = now;
    wall_now_ = wall_now;
    answer_.emplace(std::move(answer));
    std::exchange(asker_, nullptr).resume();
}

Script<> Rotation::tell() {
    const bool resumed = inputs_.record.has_value();
    co_await tell_beginning(resumed);
    if (record_.proven) co_await conclude();
    if (record_.phase == Phase::finish && !everyone_proven()) record_.phase = Phase::roll;
    const bool planned = record_.phase != Phase::preflight;
    if (record_.compromised) {
        co_await compromise();
    } else if (record_.ends_on_foreign_token() && (!planned || record_.phase == Phase::commit)) {
        co_await take_over(planned);
    } else if (record_.phase == Phase::preflight || record_.phase == Phase::prepare) {
        co_await preflight();
        co_await prepare();
        co_await commit(false);
    } else if (record_.phase == Phase::commit) {
        co_await commit(true);
    } else if (record_.phase == Phase::revert) {
        co_await take_back();
    } else if (record_.phase != Phase::finish) {
        co_await deliver_again();
    }
    co_await roll_to_the_end();
}

/// What is delivered again after a crash is certainly what the API holds.
Script<> Rotation::deliver_again() {
    const bool still_ours = co_await token_is_still_ours();
    if (still_ours) co_await deliver();
}

/// Never returns; a token that changed underneath leads back to the roll-out.
Script<> Rotation::roll_to_the_end() {
    for (;;) {
        if (record_.phase != Phase::finish && !ends_after_delivery()) {
            co_await await_window();
            co_await roll();
        }
        co_await finish();
    }
}

/// What the record says was not settled yet.
Script<> Rotation::tell_beginning(bool resumed) {
    if (record_.hold) {
        say(EventKind::rotation_held, Priority::alert,
            fmt::format("The rotation of {} is still held: {}", inputs_.policy.name,
                        record_.hold->text),
            record_.hold->unit, "held");
        co_await watch_hold(true);
    }
    if (resumed) {
        say(EventKind::rotation_resumed, Priority::notice,
            fmt::format("Going on with the rotation of {} in phase {}", inputs_.policy.name,
                        name_of(record_.phase)),
            {}, record_.compromised ? "compromised" : "");
    }
    if (!record_.refusal.empty()) {
        std::string text = record_.refusal;
        co_await refuse(std::move(text));
    }
    if (inputs_.retried) {
        // The lifted hold is durable first: what comes to a hold again has to raise its own alarm.
        reopen_acknowledged_unit();
        record_.adoptions = 0;
        co_await save(record_.phase);
    }
}

Script<SampleUnits::Value> Rotation::sample() {
    SampleUnits question;
    question.names = unit_names();
    std::string purpose = "systemd does not answer";
    SampleUnits::Value samples = co_await insist(std::move(question), std::move(purpose));
    invariant(samples.size() == record_.units.size(), "every unit was sampled");
    take_in(samples);
    co_return samples;
}

void Rotation::take_in(const SampleUnits::Value& samples) {
    view_.samples = samples;
    note_proven(proven_, samples);
    if (outage_began_) note_outage(samples);
}

Script<std::vector<Connector>> Rotation::list_connectors() {
    const ListConnectors question;
    std::string purpose = "cannot list the tunnel's connectors at Cloudflare";
    std::vector<Connector> connectors = co_await insist(question, std::move(purpose));
    co_return connectors;
}

Script<> Rotation::sleep_for(Milliseconds duration) {
    Wait wait;
    wait.until = now_ + duration;
    do {
        // Only a clock can fail to wait, and then there is nothing better to do than to go on.
        const auto waited = co_await ask(wait);
        if (revert_wanted_) co_await obey();
        if (!waited) co_return;
    } while (now_ < wait.until);
}

Script<> Rotation::save(Phase phase) {
    record_.phase = phase;
    view_.phase = phase;
    SaveRecord question;
    question.record = record_;
    std::string purpose = "cannot write the state of the rotation";
    co_await insist(std::move(question), std::move(purpose));
}

Script<> Rotation::wait_out(Error error, std::string purpose, std::size_t attempt) {
    ++waits_;
    begin_waiting(fmt::format("{}: {}", purpose, error.text));
    const Milliseconds pause = pause_after(attempt, error);
    co_await sleep_for(pause);
}

void Rotation::begin_waiting(std::string reason) {
    const bool first = view_.state != RotationState::waiting;
    view_.state = RotationState::waiting;
    view_.reason = with_strangers(std::move(reason));
    if (!first) return;
    say(EventKind::rotation_waiting, Priority::warning,
        fmt::format("The rotation of {} waits and goes on by itself: {}", inputs_.policy.name,
                    view_.reason),
        {}, "waiting");
}

void Rotation::waited_enough() {
    if (view_.state != RotationState::waiting || waits_for_more_) return;
    view_.state = RotationState::running;
    say(EventKind::rotation_continued, Priority::notice,
        fmt::format("The rotation of {} goes on", inputs_.policy.name));
    view_.reason.clear();
}

/// What an answer alone does not end.
void Rotation::wait_for(std::string reason) {
    waits_for_more_ = true;
    begin_waiting(std::move(reason));
}

void Rotation::waited_for_it() {
    waits_for_more_ = false;
    waited_enough();
}

Script<> Rotation::hold(std::string reason, std::string text, std::string unit) {
    const bool goes_back = reason == "verification_failed" && can_revert() &&
                           inputs_.policy.rollout.on_failure == "revert";
    if (goes_back) {
        failed_unit_ = unit;
        co_await revert(std::move(text));
    }
    record_.hold =
        Hold{std::move(reason), with_strangers(std::move(text)), std::move(unit), wall_now_};
    view_.state = RotationState::held;
    view_.reason = record_.hold->text;
    // Durable before it is told: what was told survives. A hold that cannot be written is still
    // held in memory; after a crash the phase on disk leads to the same check.
    SaveRecord question;
    question.record = record_;
    const auto saved = co_await ask(std::move(question));
    const std::string way_back =
        can_revert() && record_.committed
            ? fmt::format(", or `keyturnctl revert {}` goes back to the old token",
                          inputs_.policy.name)
            : "";
    say(EventKind::rotation_held, Priority::alert,
        fmt::format("The rotation of {} is held: {}. Nothing more is restarted until `keyturnctl "
                    "retry {}`{}",
                    inputs_.policy.name, record_.hold->text, inputs_.policy.name, way_back),
        record_.hold->unit, "held");
    co_await watch_hold(saved.has_value());
}

/// Never returns: `retry` begins anew from the record. `durable`: the hold is on disk.
Script<> Rotation::watch_hold(bool durable) {
    invariant(record_.hold.has_value(), "only a hold is watched");
    view_.state = RotationState::held;
    view_.reason = record_.hold->text;
    end_step();
    urgent_ = false;
    for (;;) {
        if (!durable) {
            SaveRecord question;
            question.record = record_;
            const auto saved = co_await ask(std::move(question));
            durable = saved.has_value();
        }
        co_await look_while_stopped();
        co_await sleep_for(hold_watch_interval);
    }
}

/// Units on the old token decay while nothing happens: that may become urgent.
Script<> Rotation::look_while_stopped() {
    SampleUnits question;
    question.names = unit_names();
    const auto samples = co_await ask(std::move(question));
    if (!samples) co_return;
    view_.samples = *samples;
    const int serving = count_serving(*samples);
    const int needed = inputs_.policy.rollout.min_available;
    const bool low = !samples->empty() && serving + count_unknown(*samples) < needed;
    if (low && !std::exchange(urgent_, low)) {
        say(EventKind::hold_urgent, Priority::alert,
            fmt::format("{} is {} with {} serving, min_available is {}: {}", inputs_.policy.name,
                        record_.hold ? "held" : "paused", serving, needed, view_.reason),
            record_.hold ? record_.hold->unit : "", record_.hold ? "held" : "paused");
    }
    urgent_ = low;
}

/// Where a pause stops a rotation: before the change at Cloudflare, and before each restart.
Script<> Rotation::stand_still() {
    if (!stands_still()) co_return;
    waited_for_it();
    view_.state = RotationState::paused;
    view_.reason = "an operator has paused it";
    say(EventKind::rotation_paused, Priority::warning,
        fmt::format("The rotation of {} stands still until `keyturnctl resume {}`{}",
                    inputs_.policy.name, inputs_.policy.name,
                    record_.committed ? "; units on the old token cannot get a lost connection "
                                        "back meanwhile"
                                      : ""),
        {}, "paused");
    urgent_ = false;
    while (inputs_.paused) {
        co_await look_while_stopped();
        Wait wait;
        wait.until = now_ + hold_watch_interval;
        static_cast<void>(co_await ask(wait));
        if (revert_wanted_) co_await obey();
    }
    view_.state = RotationState::running;
    view_.reason.clear();
    say(EventKind::rotation_continued, Priority::notice,
        fmt::format("The rotation of {} goes on", inputs_.policy.name));
}

Script<> Rotation::refuse(std::string text) {
    // Once the secrets are gone, a record in a later phase would take the API's token for foreign;
    // and one without the refusal would lead to another secret.
    record_.refusal = text;
    co_await save(Phase::preflight);
    say(EventKind::rotation_refused, Priority::error,
        fmt::format("The rotation of {} is refused, nothing was touched: {}", inputs_.policy.name,
                    text),
        {}, "refused");
    const ForgetSecrets forget;
    std::string purpose = "cannot wipe the kept secrets";
    co_await insist(forget, purpose);
    Conclude conclude;
    conclude.entry.trigger = record_.trigger;
    conclude.entry.outcome = "refused";
    conclude.entry.text = text;
    conclude.entry.started = record_.started;
    conclude.entry.ended = wall_now_;
    purpose = "cannot write the history";
    co_await insist(std::move(conclude), purpose);
    view_.reason = text;
    view_.state = RotationState::refused;
    co_await std::suspend_always();
}

/// A retry after a hold for a unit that had verified looks at that unit anew.
void Rotation::reopen_acknowledged_unit() {
    for (UnitProgress& unit : record_.units) {
        if (unit.name != inputs_.acknowledged_unit || unit.step != UnitStep::verified) continue;
        unit.step = UnitStep::restarting;
    }
}

/// And nothing but the policy's own units is left.
bool Rotation::everyone_proven() const {
    return std::ranges::all_of(record_.units, [](const UnitProgress& unit) {
        const bool proven = unit.step == UnitStep::verified && !unit.surge;
        return proven || unit.step == UnitStep::listed;
    });
}

void Rotation::begin_step(Milliseconds duration) {
    view_.step = RotationView::Step{now_, now_ + duration, wall_now_};
}

void Rotation::end_step() {
    view_.step.reset();
}

void Rotation::say(EventKind kind, Priority priority, std::string message, std::string unit,
                   std::string result) {
    Event event;
    event.kind = kind;
    event.priority = priority;
    event.message = std::move(message);
    event.tunnel_name = inputs_.policy.name;
    event.tunnel_id = inputs_.policy.tunnel;
    event.rotation_id = record_.rotation_id;
    event.target_unit = std::move(unit);
    if (record_.batch > 0) event.batch = fmt::format("{}/{}", record_.batch, record_.batch_count());
    event.phase = name_of(record_.phase);
    event.result = std::move(result);
    event.fingerprint = record_.new_fingerprint;
    events_.push_back(std::move(event));
}

std::vector<std::string> Rotation::unit_names() const {
    std::vector<std::string> names;
    names.reserve(record_.units.size());
    for (const UnitProgress& unit : record_.units) names.push_back(unit.name);
    return names;
}

/// The word for the secret and the token that the units are being brought to.
std::string_view Rotation::wanted_one() const {
    return record_.reverts() ? "old" : "new";
}

bool Rotation::gap_accepted() const {
    return record_.accept_gap || inputs_.policy.rollout.accept_gap;
}

}  // namespace keyturn
