#include "agent/start_planner.hpp"

#include "policy/expected.hpp"
#include "rotation/batches.hpp"
#include "schedule/start_interval.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn {

namespace {

/// Returns the median duration of the successful routine rotations. A median, because one rotation
/// that was held for days says nothing about the next one.
std::optional<Milliseconds> median_duration(const std::vector<HistoryEntry>& history) {
    std::vector<Milliseconds> durations;
    for (const HistoryEntry& entry : history) {
        const Milliseconds took = entry.ended - entry.started;
        const bool routine =
            entry.outcome == Outcome::done && !entry.trigger.starts_with("compromised");
        // The duration is negative if somebody set the wall clock back.
        if (routine && took >= Milliseconds{0}) durations.push_back(took);
    }
    if (durations.empty()) return std::nullopt;
    const auto middle = durations.begin() + static_cast<std::ptrdiff_t>((durations.size() - 1) / 2);
    std::ranges::nth_element(durations, middle);
    return *middle;
}

}  // namespace

StartPlanner::StartPlanner(const TunnelPolicy& policy, double splay_share)
    : policy_(policy), splay_share_(splay_share) {}

void StartPlanner::recall(const std::vector<HistoryEntry>& history) {
    usual_ = median_duration(history);
    reverted_.reset();
    const auto last = std::find_if(history.rbegin(), history.rend(),
                                   [](const HistoryEntry& entry) { return entry.changed_token(); });
    if (last != history.rend() && last->outcome == Outcome::reverted) reverted_ = last->ended;
}

/// keyturnd may try a reverted rotation again, but not at once.
TokenAge StartPlanner::age_of(const TunnelState& state) const {
    return {state.first_seen, state.last_done, reverted_};
}

/// The schedule reserves the time that follows from the policy. If it used past durations, one
/// rotation that was held for days would keep all others out of their windows.
StartPlan StartPlanner::start_plan(std::size_t units) const {
    return {expected_duration(policy_.rollout, units), splay_share_};
}

/// The result stays valid until its start has passed or its inputs have changed. Searching for a
/// window that never comes takes too long for every wake-up.
void StartPlanner::look(const TunnelState& state, std::size_t units, WallTime now,
                        BootTime boot_now) {
    if (postponed_ && boot_now >= postponed_->ends) postponed_.reset();
    const TokenAge age = age_of(state);
    const StartPlan plan = start_plan(units);
    const bool holds = asked_ && asked_->age == age && asked_->plan == plan && asked_->at <= now &&
                       !(next_ && next_->start && *next_->start < now);
    if (holds) return;
    asked_ = Asked{age, plan, now};
    next_ = next_due(policy_.schedule, age, plan, now);
}

void StartPlanner::postpone(Milliseconds pause, WallTime now, BootTime boot_now) {
    postponed_ = Postponement{now + pause, boot_now + pause};
}

std::optional<WallTime> StartPlanner::start() const {
    if (!next_ || !next_->start) return std::nullopt;
    return postponed_ ? std::max(*next_->start, postponed_->until) : *next_->start;
}

std::optional<BootTime> StartPlanner::wake_up(WallTime now, BootTime boot_now) const {
    if (!next_) return std::nullopt;
    const std::optional<WallTime> moment = next_->due > now ? next_->due : start();
    if (!moment) return std::nullopt;
    const BootTime wanted = boot_now + (*moment - now);
    return postponed_ ? std::min(wanted, postponed_->ends) : wanted;
}

std::optional<Event> StartPlanner::take_postponement(WallTime now) {
    const bool waits = next_ && next_->due <= now &&
                       (next_->cause == StartCause::window || next_->cause == StartCause::freeze ||
                        next_->cause == StartCause::never);
    if (!waits) {
        told_.reset();
        return std::nullopt;
    }
    if (std::exchange(told_, next_->cause) == next_->cause) return std::nullopt;
    Event event{EventKind::rotation_postponed,
                next_->cause == StartCause::never ? Priority::alert : Priority::notice,
                fmt::format("{} has been due since {} and {}", policy_.name, to_text(next_->due),
                            describe_wait()),
                policy_.name, policy_.tunnel};
    event.result = name_of(next_->cause);
    return event;
}

std::string StartPlanner::describe_wait() const {
    if (next_->cause == StartCause::never) {
        return fmt::format(
            "never starts: the rotation takes {}, and no window of the policy is that long; "
            "lengthen `windows`, lower `soak`, or set `max_age`",
            to_text(asked_->plan.expected));
    }
    const std::string starts = to_text(*next_->start);
    if (next_->cause == StartCause::window) {
        return fmt::format("waits for its window: it starts at {}", starts);
    }
    return fmt::format("waits for the end of {}: it starts at {}", freeze_before(*next_), starts);
}

/// Describes the freeze that delays a start; empty if none does. A start that `max_age` forces
/// comes at the end of a freeze, plus the tunnel's place in the splay.
std::string StartPlanner::freeze_before(const Due& next) const {
    const Schedule& schedule = policy_.schedule;
    WallTime from = next.due;
    if (next.cause == StartCause::max_age)
        from = std::max(from, *next.start - schedule.splay - Milliseconds{1});
    const bool frozen = next.cause == StartCause::freeze || next.cause == StartCause::max_age;
    return frozen ? describe_freeze(schedule, from, *next.start).value_or("") : "";
}

TunnelPlan StartPlanner::plan(const TunnelState& state, const std::vector<std::string>& units,
                              WallTime now, std::size_t count) const {
    TunnelPlan result;
    result.name = policy_.name;
    result.paused = state.paused.has_value();
    result.timezone = policy_.schedule.zone.name();
    result.units = units;
    const RolloutPolicy& rollout = policy_.rollout;
    if (!units.empty()) {
        result.batches =
            batch_sizes(static_cast<int>(units.size()), rollout.batches, rollout.canary);
    }
    const StartPlan plan = start_plan(units.size());
    for (const Due& next : upcoming(policy_.schedule, age_of(state), plan, now, count)) {
        PlannedStart start{next.due, next.start, std::nullopt, std::string{name_of(next.cause)},
                           freeze_before(next)};
        // A late rotation starts now, or when its slot in the API budget comes.
        if (start.start && result.starts.empty()) {
            start.start = std::max({*start.start, now, postponed_ ? postponed_->until : now});
        }
        if (start.start) start.end = *start.start + usual_.value_or(plan.expected);
        result.starts.push_back(std::move(start));
    }
    return result;
}

}  // namespace keyturn
