#include "rotation/standstill.hpp"

#include "rotation/revert.hpp"
#include "rotation/verification.hpp"

namespace keyturn {

namespace {

/// How often the units are checked during a hold or a pause.
constexpr Milliseconds look_interval = std::chrono::seconds{30};

}  // namespace

Script<Ending> Standstill::hold(Ending cause) {
    if (record_.hold) {
        say(EventKind::rotation_held, Priority::alert,
            fmt::format("The rotation of {} is still held: {}", inputs_.policy.name,
                        record_.hold->text),
            record_.hold->unit, "held");
    } else {
        co_await begin(std::move(cause));
    }
    view_.state = RotationState::held;
    view_.reason = record_.hold->text;
    end_step();
    urgent_ = false;
    for (;;) co_await watch();
}

/// Saves the hold before reporting it, so that a reported hold survives. A hold that cannot be
/// written is still held in memory; after a crash, the phase on disk leads to the same check.
Script<> Standstill::begin(Ending cause) {
    record_.hold =
        Hold{cause.reason, with_strangers(std::move(cause.text)), std::move(cause.unit), wall_now_};
    view_.state = RotationState::held;
    view_.reason = record_.hold->text;
    SaveRecord question{record_};
    const auto saved = co_await ask(std::move(question));
    durable_ = saved.has_value();
    tell_hold();
}

void Standstill::tell_hold() {
    const bool can_go_back =
        can_revert(inputs_, record_) && (record_.committed || record_.keeps_token());
    const std::string revert = fmt::format("`keyturnctl revert {}`", inputs_.policy.name);
    const std::string way_back =
        record_.keeps_token()
            ? fmt::format(
                  "; after you have put the settings of its units back, {} restarts again "
                  "what was restarted",
                  revert)
            : fmt::format("; {} goes back to the old token", revert);
    say(EventKind::rotation_held, Priority::alert,
        fmt::format("The rotation of {0} is held: {1}. keyturnd restarts nothing more until "
                    "`keyturnctl retry {0}`{2}",
                    inputs_.policy.name, record_.hold->text, can_go_back ? way_back : ""),
        record_.hold->unit, "held");
}

Script<> Standstill::watch() {
    if (!durable_) {
        SaveRecord question{record_};
        const auto saved = co_await ask(std::move(question));
        durable_ = saved.has_value();
    }
    co_await look();
    co_await sleep_for(look_interval);
}

/// Units on the old token decay while nothing happens, which may become urgent.
Script<> Standstill::look() {
    SampleUnits question{unit_names()};
    const auto samples = co_await ask(std::move(question));
    if (!samples) co_return;
    view_.samples = *samples;
    const int serving = count_serving(*samples);
    const int needed = inputs_.policy.rollout.min_available;
    const bool low = !samples->empty() && serving + count_unknown(*samples) < needed;
    if (low && !std::exchange(urgent_, low)) {
        say(EventKind::hold_urgent, Priority::alert,
            fmt::format("{} is {} with {} units serving, but min_available is {}: {}",
                        inputs_.policy.name, record_.hold ? "held" : "paused", serving, needed,
                        view_.reason),
            record_.hold ? record_.hold->unit : "", record_.hold ? "held" : "paused");
    }
    urgent_ = low;
}

Script<> Standstill::pause() {
    view_.state = RotationState::paused;
    view_.reason = "an operator has paused it";
    say(EventKind::rotation_paused, Priority::warning,
        fmt::format("The rotation of {} is paused until `keyturnctl resume {}`{}",
                    inputs_.policy.name, inputs_.policy.name,
                    record_.committed ? "; units on the old token cannot get a lost connection "
                                        "back meanwhile"
                                      : ""),
        {}, "paused");
    urgent_ = false;
    while (inputs_.paused) {
        co_await look();
        const Wait wait{now_ + look_interval};
        static_cast<void>(co_await ask(wait));
        if (context_.revert_wanted) co_await obey();
    }
    view_.state = RotationState::running;
    view_.reason.clear();
    say(EventKind::rotation_continued, Priority::notice,
        fmt::format("The rotation of {} continues", inputs_.policy.name));
}

}  // namespace keyturn
