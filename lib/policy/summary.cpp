#include "policy/summary.hpp"

#include <fmt/format.h>

namespace keyturn {
namespace {

constexpr int moments_shown = 3;

/// "Sat 2026-11-28 02:00".
std::string clock_text(LocalTime time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{time - day};
    return fmt::format("{} {:04}-{:02}-{:02} {:02}:{:02}",
                       weekday_names.at(std::chrono::weekday{day}.iso_encoding() - 1),
                       static_cast<int>(date.year()), static_cast<unsigned>(date.month()),
                       static_cast<unsigned>(date.day()), clock.hours().count(),
                       clock.minutes().count());
}

/// "next: Sat 2026-11-28 02:00, ...", in the calendar's own zone.
std::string next_moments(const Calendar& calendar, const TimeZone& zone, WallTime now) {
    const TimeZone& where = calendar.zone() ? *calendar.zone() : zone;
    std::string text;
    std::optional<WallTime> moment = now;
    for (int i = 0; i < moments_shown; ++i) {
        moment = calendar.next_after(*moment, zone);
        if (!moment) break;
        text +=
            fmt::format("{}{}", text.empty() ? "next: " : ", ", clock_text(where.local(*moment)));
    }
    return text.empty() ? "never again" : text;
}

std::string line(std::string_view name, std::string_view text) {
    return fmt::format("  {:<10} {}\n", name, text);
}

std::string occasions(const Schedule& schedule, WallTime now) {
    if (!schedule.scheduled()) return line("rotated", "on demand only");
    std::string text;
    if (schedule.every > Milliseconds{0}) {
        text += line("rotated", fmt::format("every {}", to_text(schedule.every)));
    }
    for (const Calendar& calendar : schedule.calendars) {
        text += line("rotated", fmt::format("{}; {}", calendar.text(),
                                            next_moments(calendar, schedule.zone, now)));
    }
    if (schedule.max_age > Milliseconds{0}) {
        text +=
            line("at most", fmt::format("{} old, even outside windows", to_text(schedule.max_age)));
    }
    return text;
}

std::string times(const Schedule& schedule, WallTime now) {
    std::string text;
    for (const Window& window : schedule.windows) {
        text +=
            line("window", fmt::format("{} for {}; {}", window.start.text(), to_text(window.length),
                                       next_moments(window.start, schedule.zone, now)));
    }
    for (const Freeze& freeze : schedule.freezes) {
        text +=
            line("freeze", fmt::format("{} to {}{}", clock_text(freeze.from), clock_text(freeze.to),
                                       freeze.why.empty() ? "" : ": " + freeze.why));
    }
    const bool zone_matters =
        !schedule.windows.empty() || !schedule.freezes.empty() || !schedule.calendars.empty();
    if (zone_matters) text += line("zone", schedule.zone.name());
    return text;
}

/// Where the hosts of the tunnel share their object, and what this host does.
std::string hosts(const Coordinator& coordinator) {
    const std::string_view part =
        coordinator.lead ? "this host may lead" : "this host only follows";
    switch (coordinator.kind) {
        case CoordinatorKind::bucket:
            return line("hosts", fmt::format("share bucket {} at {}; {}", coordinator.bucket,
                                             coordinator.endpoint, part));
        case CoordinatorKind::etcd:
            return line("hosts", fmt::format("share etcd at {}; {}",
                                             fmt::join(coordinator.endpoints, ", "), part));
        case CoordinatorKind::file:
            return line("hosts", fmt::format("share file {}; {}", coordinator.path, part));
        case CoordinatorKind::api: {
            std::vector<std::string> names;
            for (const KnownHost& known : coordinator.hosts) names.push_back(known.host);
            return line("hosts", fmt::format("{}; {} rotates, the others follow",
                                             fmt::join(names, ", "), names.front()));
        }
        case CoordinatorKind::local: break;
    }
    return {};
}

}  // namespace

std::string summary(const Policy& policy, WallTime now) {
    std::string text;
    for (const TunnelPolicy& tunnel : policy.tunnels) {
        text += fmt::format("\n{}: {}\n", tunnel.name, fmt::join(tunnel.units, ", "));
        text += occasions(tunnel.schedule, now) + times(tunnel.schedule, now);
        if (tunnel.coordinator) text += hosts(*tunnel.coordinator);
    }
    return text;
}

}  // namespace keyturn
