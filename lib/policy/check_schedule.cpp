#include "policy/check_schedule.hpp"

#include "policy/expected.hpp"
#include "policy/key_paths.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {
namespace {

/// A window that closes for less than this is open all the time in practice.
constexpr std::chrono::minutes window_pause_min{15};

/// The checks evaluate calendars from here on: a leap year that begins with a Monday.
constexpr WallTime look_from = std::chrono::sys_days{std::chrono::year{2024} / 1 / 1};
constexpr int moments_looked_at = 16;

/// The shortest gap between the first moments of a calendar; nothing if it has only one.
std::optional<Milliseconds> least_gap(const Calendar& calendar, const TimeZone& zone) {
    std::optional<Milliseconds> least;
    std::optional<WallTime> last = calendar.next_after(look_from, zone);
    for (int i = 1; last && i < moments_looked_at; ++i) {
        const std::optional<WallTime> next = calendar.next_after(*last, zone);
        if (next) least = std::min(least.value_or(*next - *last), Milliseconds{*next - *last});
        last = next;
    }
    return least;
}

bool ever_comes(const Calendar& calendar, const TimeZone& zone) {
    return calendar.next_after(look_from, zone).has_value();
}

void check_ages(const TunnelDraft& tunnel, ProblemList& problems) {
    const Schedule& schedule = tunnel.policy.schedule;
    const DurationOfKey every{every_path, schedule.every};
    const DurationOfKey max_age{max_age_path, schedule.max_age};
    const DurationOfKey min_interval{min_interval_path, schedule.min_interval};
    if (every.value > Milliseconds{0}) {
        refuse_shorter(tunnel, every, min_interval,
                       ", which would prevent it; raise `every` or lower `min_interval`", problems);
    }
    if (max_age.value <= Milliseconds{0}) return;
    if (refuse_shorter(tunnel, max_age, every,
                       ", so keyturnd would never wait for a window; swap them", problems)) {
        return;
    }
    refuse_shorter(tunnel, max_age, min_interval,
                   ", which would prevent it; raise `max_age` or lower `min_interval`", problems);
}

void check_calendars(const TunnelDraft& tunnel, ProblemList& problems) {
    const Schedule& schedule = tunnel.policy.schedule;
    const std::string_view key = tunnel.given.contains(cron_path) ? "cron" : "calendar";
    if (!tunnel.comparable({zone_path, calendar_path, cron_path, min_interval_path})) return;
    for (const Calendar& calendar : schedule.calendars) {
        const Place place = tunnel.blame({calendar_path, cron_path});
        if (!ever_comes(calendar, schedule.zone)) {
            problems.add(place, fmt::format("`{}` never occurs: {}; correct its date", key,
                                            calendar.text()));
            continue;
        }
        const std::optional<Milliseconds> gap = least_gap(calendar, schedule.zone);
        // When daylight saving time begins, a day has only 23 hours.
        if (!gap || *gap + std::chrono::hours{1} >= schedule.min_interval) continue;
        problems.add(tunnel.blame({calendar_path, cron_path, min_interval_path}),
                     fmt::format("`{}` repeats after {}, which `min_interval` ({}) would prevent; "
                                 "make it less frequent or lower `min_interval`",
                                 key, to_text(*gap), to_text(schedule.min_interval)));
    }
}

void check_windows(const TunnelDraft& tunnel, ProblemList& problems) {
    const Schedule& schedule = tunnel.policy.schedule;
    for (std::size_t i = 0; i < schedule.windows.size(); ++i) {
        const Window& window = schedule.windows[i];
        const Place place = tunnel.window_places[i];
        if (!ever_comes(window.start, schedule.zone)) {
            problems.add(place, fmt::format("this window never opens: {}; correct its date",
                                            window.start.text()));
            continue;
        }
        const std::optional<Milliseconds> gap = least_gap(window.start, schedule.zone);
        if (!gap || *gap >= window.length + window_pause_min) continue;
        problems.add(place, fmt::format("this window is open for {} and opens again after {}; "
                                        "shorten it, or delete `windows` to allow any time",
                                        to_text(window.length), to_text(*gap)));
    }
}

/// Reports only what can never work: adjacent windows may be long enough together, and a glob may
/// stand for units that do not exist.
void check_room(const TunnelDraft& tunnel, ProblemList& problems) {
    const Schedule& schedule = tunnel.policy.schedule;
    const bool sound = tunnel.comparable(
        {batches_path, settle_path, soak_path, soak_max_path, min_healthy_time_path, units_path});
    if (schedule.windows.empty() || tunnel.policy.units.empty() || !sound) return;
    Milliseconds room{0};
    for (const Window& window : schedule.windows) room += window.length;
    const Milliseconds needed =
        expected_duration(tunnel.policy.rollout, tunnel.policy.units.size());
    if (needed <= room) return;
    problems.add(tunnel.blame({windows_path, batches_path, soak_path, soak_max_path}),
                 fmt::format("a rotation is expected to take {}, but all `windows` together are "
                             "open for only {}; lengthen them, or lower `soak` or `batches`",
                             to_text(needed), to_text(room)));
}

void check_freezes(const TunnelDraft& tunnel, ProblemList& problems) {
    const std::vector<Freeze>& freezes = tunnel.policy.schedule.freezes;
    for (std::size_t i = 0; i < freezes.size(); ++i) {
        if (freezes[i].from < freezes[i].to) continue;
        problems.add(tunnel.freeze_places[i],
                     "this freeze ends before it begins; swap `from` and `to`");
    }
}

}  // namespace

void check_schedule(const TunnelDraft& tunnel, ProblemList& problems) {
    check_ages(tunnel, problems);
    check_calendars(tunnel, problems);
    if (tunnel.comparable({zone_path, windows_path})) {
        check_windows(tunnel, problems);
        check_room(tunnel, problems);
    }
    if (tunnel.comparable({freeze_path})) check_freezes(tunnel, problems);
}

}  // namespace keyturn
