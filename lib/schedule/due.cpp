#include "schedule/due.hpp"

#include "schedule/start_interval.hpp"

#include <algorithm>

namespace keyturn {
namespace {

/// A splay takes at most this part of `every`, so that a short interval is still kept.
constexpr int splay_parts = 10;

WallTime counts_from(const TokenAge& age) {
    return age.last_done.value_or(age.first_seen);
}

/// Never two rotations within `min_interval`. A rotation that was given up is not retried sooner
/// either.
WallTime not_before(const Schedule& schedule, const TokenAge& age) {
    WallTime earliest = age.first_seen;
    if (age.last_done) earliest = *age.last_done + schedule.min_interval;
    if (age.given_up) earliest = std::max(earliest, *age.given_up + schedule.min_interval);
    return earliest;
}

/// When the token reaches the age that no window may delay.
std::optional<WallTime> too_old_at(const Schedule& schedule, const TokenAge& age) {
    if (schedule.max_age <= Milliseconds{0}) return std::nullopt;
    return std::max(counts_from(age) + schedule.max_age, not_before(schedule, age));
}

std::optional<WallTime> due_at(const Schedule& schedule, const TokenAge& age) {
    std::optional<WallTime> due = too_old_at(schedule, age);
    const auto consider = [&](WallTime moment) { due = std::min(due.value_or(moment), moment); };
    const WallTime earliest = not_before(schedule, age);
    if (schedule.every > Milliseconds{0}) {
        consider(std::max(counts_from(age) + schedule.every, earliest));
    }
    // Skip a calendar time that comes too soon after a rotation: the token is fresh, and a delayed
    // start would come at a time that nobody chose.
    const WallTime after = std::max(counts_from(age), earliest - Milliseconds{1});
    for (const Calendar& calendar : schedule.calendars) {
        if (const auto moment = calendar.next_after(after, schedule.zone)) consider(*moment);
    }
    return due;
}

/// The tunnel's start in `interval`. An interval without an end has room for any splay.
WallTime start_in(const StartInterval& interval, WallTime due, const Schedule& schedule,
                  const StartPlan& plan) {
    const WallTime begins = std::max(due, interval.begins);
    Milliseconds splay = schedule.splay;
    if (schedule.every > Milliseconds{0}) splay = std::min(splay, schedule.every / splay_parts);
    if (interval.ends != WallTime::max()) {
        splay = std::min(splay, interval.ends - begins - plan.expected);
    }
    const auto share = static_cast<double>(std::max(splay, Milliseconds{0}).count());
    return begins + Milliseconds{static_cast<Milliseconds::rep>(share * plan.splay_share)};
}

/// The cause of the wait for `interval`, from `from` on. It is the freeze even if, after it, the
/// wait continues for a window.
StartCause cause_of(const StartInterval& interval, WallTime from, const Schedule& schedule,
                    const StartPlan& plan) {
    if (!describe_freeze(schedule, from, interval.begins)) return StartCause::window;
    Schedule thawed = schedule;
    thawed.freezes.clear();
    const std::optional<StartInterval> sooner = next_start_interval(thawed, from, plan.expected);
    const bool frozen = sooner && sooner->begins < interval.begins;
    return frozen ? StartCause::freeze : StartCause::window;
}

}  // namespace

std::optional<Due> next_due(const Schedule& schedule, const TokenAge& age, const StartPlan& plan,
                            WallTime now) {
    const std::optional<WallTime> due = due_at(schedule, age);
    if (!due) return std::nullopt;
    Due result{*due, std::nullopt, StartCause::never};

    std::optional<StartInterval> interval = next_start_interval(schedule, *due, plan.expected);
    const bool missed =
        interval && interval->ends != WallTime::max() && interval->ends - plan.expected < now;
    if (missed) interval = next_start_interval(schedule, now, plan.expected);
    if (interval) {
        result.start = start_in(*interval, *due, schedule, plan);
        const WallTime from = missed ? std::max(*due, now) : *due;
        result.cause =
            interval->begins <= *due ? StartCause::due : cause_of(*interval, from, schedule, plan);
    }
    const std::optional<WallTime> too_old = too_old_at(schedule, age);
    if (too_old && (!result.start || *too_old <= *result.start)) {
        // If that moment was missed, what counts is whether there is a freeze now.
        const WallTime at = std::max(*too_old, now);
        const WallTime thawed = frozen_until(schedule, at);
        const WallTime start =
            thawed == at ? *too_old : start_in(StartInterval{thawed}, thawed, schedule, plan);
        if (!result.start || start <= *result.start) {
            result.start = start;
            result.cause = StartCause::max_age;
        }
    }
    return result;
}

std::vector<Due> upcoming(const Schedule& schedule, TokenAge age, const StartPlan& plan,
                          WallTime now, std::size_t count) {
    std::vector<Due> starts;
    while (starts.size() < count) {
        const std::optional<Due> next = next_due(schedule, age, plan, now);
        if (!next) break;
        starts.push_back(*next);
        if (!next->start) break;
        now = std::max(now, *next->start) + plan.expected;
        age.last_done = now;
        age.given_up.reset();
    }
    return starts;
}

}  // namespace keyturn
