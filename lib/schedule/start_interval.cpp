#include "schedule/start_interval.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {
namespace {

/// How many windows and freezes are tried before the search gives up. That covers over a year of
/// windows that open daily, and longer for all others.
constexpr int attempts_max = 500;

StartInterval span_of(const Freeze& freeze, const TimeZone& zone) {
    return {zone.moment(freeze.from), zone.moment(freeze.to)};
}

/// The openings of one window in order.
class WindowWalk {
  public:
    /// Begins with the first opening that ends after `from`.
    WindowWalk(const Window& window, const TimeZone& zone, WallTime from)
        : window_(&window), zone_(&zone) {
        go_on(from - window.length);
    }

    [[nodiscard]] const std::optional<StartInterval>& opening() const { return opening_; }
    void go_on() { go_on(opening_->begins); }

  private:
    void go_on(WallTime after) {
        const std::optional<WallTime> start = window_->start.next_after(after, *zone_);
        opening_.reset();
        if (start) opening_ = StartInterval{*start, *start + window_->length};
    }

    const Window* window_;
    const TimeZone* zone_;
    std::optional<StartInterval> opening_;
};

/// The windows that are open at `from` or open next, joined with those that touch them, until the
/// time after `from` is at least `enough`.
std::optional<StartInterval> join_windows(const Schedule& schedule, WallTime from,
                                          Milliseconds enough) {
    if (schedule.windows.empty()) return StartInterval{};
    std::vector<WindowWalk> walks;
    for (const Window& window : schedule.windows) {
        WindowWalk walk(window, schedule.zone, from);
        if (walk.opening()) walks.push_back(std::move(walk));
    }
    if (walks.empty()) return std::nullopt;
    const auto first = std::ranges::min_element(
        walks, {}, [](const WindowWalk& walk) { return walk.opening()->begins; });
    StartInterval joined = *first->opening();
    bool grew = true;
    while (grew && joined.ends - std::max(joined.begins, from) < enough) {
        grew = false;
        for (WindowWalk& walk : walks) {
            while (walk.opening() && walk.opening()->begins <= joined.ends &&
                   joined.ends - std::max(joined.begins, from) < enough) {
                grew = grew || walk.opening()->ends > joined.ends;
                joined.ends = std::max(joined.ends, walk.opening()->ends);
                walk.go_on();
            }
        }
    }
    return joined;
}

/// The part of `interval` around or after `from` that remains without the freezes.
StartInterval cut_freezes(StartInterval interval, const Schedule& schedule, WallTime from) {
    const WallTime kept = std::max(interval.begins, from);
    for (const Freeze& freeze : schedule.freezes) {
        const StartInterval frozen = span_of(freeze, schedule.zone);
        if (frozen.ends <= kept) interval.begins = std::max(interval.begins, frozen.ends);
        if (frozen.begins >= kept) interval.ends = std::min(interval.ends, frozen.begins);
    }
    return interval;
}

}  // namespace

std::optional<StartInterval> next_start_interval(const Schedule& schedule, WallTime from,
                                                 Milliseconds length) {
    const Milliseconds enough = length + schedule.splay + Milliseconds{1};
    for (int attempt = 0; attempt < attempts_max; ++attempt) {
        const std::optional<StartInterval> open = join_windows(schedule, from, enough);
        if (!open) return std::nullopt;
        const WallTime begins = std::max(open->begins, from);
        if (const WallTime thawed = frozen_until(schedule, begins); thawed > begins) {
            from = thawed;
            continue;
        }
        const StartInterval left = cut_freezes(*open, schedule, from);
        if (left.ends == WallTime::max() || left.ends - begins >= length) return left;
        from = left.ends;
    }
    return std::nullopt;
}

WallTime frozen_until(const Schedule& schedule, WallTime from) {
    for (bool moved = true; moved;) {
        moved = false;
        for (const Freeze& freeze : schedule.freezes) {
            const StartInterval frozen = span_of(freeze, schedule.zone);
            if (from < frozen.begins || from >= frozen.ends) continue;
            from = frozen.ends;
            moved = true;
        }
    }
    return from;
}

std::optional<std::string> describe_freeze(const Schedule& schedule, WallTime from,
                                           WallTime until) {
    const Freeze* last = nullptr;
    WallTime last_end = from;
    for (const Freeze& freeze : schedule.freezes) {
        const WallTime end = schedule.zone.moment(freeze.to);
        if (end <= last_end || schedule.zone.moment(freeze.from) >= until) continue;
        last = &freeze;
        last_end = end;
    }
    if (last == nullptr) return std::nullopt;
    return last->why.empty() ? "a freeze" : fmt::format("a freeze ({})", last->why);
}

}  // namespace keyturn
