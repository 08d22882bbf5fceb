// When a tunnel is rotated without anybody asking, and what is told of that.

#include "agent/tunnel_agent.hpp"
#include "clock/clock.hpp"
#include "journal/event_log.hpp"
#include "policy/expected.hpp"
#include "rotation/batches.hpp"
#include "schedule/stretch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn {

TokenAge TunnelAgent::token_age() const {
    TokenAge age{state_.first_seen, state_.last_done, std::nullopt};
    // What was given up may be tried again, but not at once.
    if (last_ && last_->outcome == Outcome::reverted) age.given_up = last_->ended;
    return age;
}

/// A look that found no unit leaves what is known.
void TunnelAgent::note_units(std::vector<std::string> names) {
    if (!names.empty()) units_ = std::move(names);
}

StartPlan TunnelAgent::start_plan() const {
    return {expected_duration(policy_.rollout, units_.size()), splay_share_};
}

/// What the schedule makes room for is what the policy asks for: one rotation that took days,
/// because it was held, is not to keep all others out of their windows. What is told is what it
/// took.
Milliseconds TunnelAgent::usual_duration() const {
    return usual_ ? *usual_ : start_plan().expected;
}

/// An answer holds until its start has passed or what it was asked with is no more so. To look for
/// a window that is never to come is not for every wake-up.
void TunnelAgent::plan_next() {
    const TokenAge age = token_age();
    const StartPlan plan = start_plan();
    const WallTime now = world_.clock.wall_now();
    const bool holds = planned_ && planned_->age == age && planned_->plan == plan &&
                       planned_->at <= now && !(next_ && next_->start && *next_->start < now);
    if (holds) return;
    planned_ = Planned{age, plan, now};
    next_ = next_due(policy_.schedule, age, plan, now);
}

/// What puts a start off, where that is a freeze. One that the age has forced begins where a freeze
/// ends, but for its place in the splay.
std::string TunnelAgent::freeze_before(const Due& next) const {
    const Schedule& schedule = policy_.schedule;
    WallTime from = next.due;
    if (next.cause == StartCause::max_age)
        from = std::max(from, *next.start - schedule.splay - Milliseconds{1});
    const bool frozen = next.cause == StartCause::freeze || next.cause == StartCause::max_age;
    return frozen ? describe_freeze(schedule, from, *next.start).value_or("") : "";
}

TunnelPlan TunnelAgent::plan(std::size_t count) const {
    TunnelPlan result;
    result.name = policy_.name;
    result.paused = state_.paused.has_value();
    result.timezone = policy_.schedule.zone.name();
    result.units = units_;
    const RolloutPolicy& rollout = policy_.rollout;
    if (!units_.empty()) {
        result.batches =
            batch_sizes(static_cast<int>(units_.size()), rollout.batches, rollout.canary);
    }
    const WallTime now = world_.clock.wall_now();
    const StartPlan plan = start_plan();
    for (const Due& next : upcoming(policy_.schedule, token_age(), plan, now, count)) {
        PlannedStart start{next.due, next.start, std::nullopt, std::string{name_of(next.cause)},
                           freeze_before(next)};
        // What is late begins now, or when its turn comes.
        if (start.start && result.starts.empty()) {
            start.start = std::max({*start.start, now, postponed_until_.value_or(now)});
        }
        if (start.start) start.end = *start.start + usual_duration();
        result.starts.push_back(std::move(start));
    }
    return result;
}

std::optional<WallTime> TunnelAgent::start() const {
    if (!next_ || !next_->start) return std::nullopt;
    return std::max(*next_->start, postponed_until_.value_or(*next_->start));
}

/// When there is something to do or to tell by the wall clock: the start, or before it the moment
/// from which on the tunnel is due and waits.
std::optional<WallTime> TunnelAgent::next_moment() const {
    if (!next_) return std::nullopt;
    if (next_->due > world_.clock.wall_now()) return next_->due;
    return start();
}

/// A tunnel that is due and not started says why, once.
void TunnelAgent::tell_postponement() {
    const bool waits = next_ && next_->due <= world_.clock.wall_now() &&
                       (next_->cause == StartCause::window || next_->cause == StartCause::freeze ||
                        next_->cause == StartCause::never);
    if (!waits) {
        postponement_told_.reset();
        return;
    }
    if (std::exchange(postponement_told_, next_->cause) == next_->cause) return;
    const bool never = next_->cause == StartCause::never;
    Event event =
        event_of(EventKind::rotation_postponed, never ? Priority::alert : Priority::notice);
    event.result = name_of(next_->cause);
    event.message = fmt::format("{} is due since {} and {}", policy_.name, to_text(next_->due),
                                describe_wait());
    log_.record(event);
}

std::string TunnelAgent::describe_wait() const {
    if (next_->cause == StartCause::never) {
        const Milliseconds expected = start_plan().expected;
        return fmt::format(
            "never starts: no window of the policy is long enough for the {} that it takes; "
            "lengthen `windows`, lower `soak`, or set `max_age`",
            to_text(expected));
    }
    const std::string starts = to_text(*next_->start);
    if (next_->cause == StartCause::window) {
        return fmt::format("waits for its window: it starts at {}", starts);
    }
    return fmt::format("waits for the end of {}: it starts at {}", freeze_before(*next_), starts);
}

}  // namespace keyturn
