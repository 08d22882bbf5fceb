#include "story.hpp"

#include "base/error.hpp"
#include "rotation_view.hpp"
#include "text_layout.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {
namespace {

/// While something is unhealthy, each check restarts the soak. The story shows that as one event.
constexpr std::chrono::seconds soak_news_min{10};

bool same_rotation(const TunnelStatus& before, const TunnelStatus& after) {
    return !before.phase.empty() && before.started == after.started;
}

/// "soak after batch 1 of 2"
std::string phase_text(const TunnelStatus& tunnel) {
    const std::string phase = printable(tunnel.phase);
    if (tunnel.batch_count == 0 || (phase != "roll" && phase != "soak")) return phase;
    if (tunnel.batch == 0) return phase + ", settling";
    return fmt::format("{}{} batch {} of {}", phase, phase == "soak" ? " after" : ",", tunnel.batch,
                       tunnel.batch_count);
}

/// "soak after batch 1 of 2, 10m"
std::string phase_beginning(const TunnelStatus& tunnel) {
    std::string text = phase_text(tunnel);
    if (tunnel.phase == "soak" && tunnel.batch > 0 && tunnel.step_started && tunnel.step_ends) {
        text += fmt::format(", {}", to_text(*tunnel.step_ends - *tunnel.step_started));
    }
    return text;
}

std::string phase_change(const TunnelStatus& before, const TunnelStatus& after) {
    if (after.phase.empty()) return {};
    const bool same =
        same_rotation(before, after) && before.phase == after.phase && before.batch == after.batch;
    if (!same) return phase_beginning(after);
    const bool anew = after.phase == "soak" && after.step_started && before.step_started &&
                      *after.step_started - *before.step_started >= soak_news_min;
    return anew ? "the soak starts over: not everything was healthy" : "";
}

std::string state_change(const TunnelStatus& before, const TunnelStatus& after) {
    const bool waits = after.state == "waiting";
    if (waits && (before.state != "waiting" || !say_the_same(before.reason, after.reason))) {
        return fmt::format("waiting: {}", printable(after.reason));
    }
    if (after.state == "paused" && before.state != "paused") return "paused";
    const bool goes_on = after.state == "running" && same_rotation(before, after);
    return goes_on && before.state != "running" ? "continues" : "";
}

const UnitStatus* find(const std::vector<UnitStatus>& units, const std::string& name) {
    const auto found = std::find_if(units.begin(), units.end(),
                                    [&](const UnitStatus& unit) { return unit.name == name; });
    return found == units.end() ? nullptr : &*found;
}

std::string step_text(const UnitStatus& unit) {
    std::string head = fmt::format("  {}: ", printable(unit.name));
    if (unit.step == "listed") return head + "not running; gets the token but is not started";
    head += step_word(unit);
    if (unit.step == "restarting" && is_surge(unit)) return head + " as an extra connector";
    if (unit.step != "verified") return head;
    const std::string connections = connections_text(unit.connections);
    const std::string proof =
        unit.verified_by.empty() ? "" : fmt::format(" ({})", printable(unit.verified_by));
    return head + proof + (connections.empty() ? "" : ", " + connections);
}

std::string unit_change(const UnitStatus* before, const UnitStatus& after) {
    const std::string old_step = before != nullptr ? before->step : "";
    if (after.step == old_step || after.step.empty()) return {};
    // Every unit waits at first, so that is not reported.
    if (after.step == "waiting" && old_step.empty()) return {};
    return step_text(after);
}

/// Reports surge units that have left: keyturnd lists one only while it is needed.
std::vector<std::string> surges_that_left(const TunnelStatus& before, const TunnelStatus& after) {
    std::vector<std::string> lines;
    for (const UnitStatus& unit : before.units) {
        if (!is_surge(unit) || find(after.units, unit.name) != nullptr) continue;
        lines.push_back(fmt::format("  {}: stopped, no longer needed", printable(unit.name)));
    }
    return lines;
}

/// The connectors that keyturnd dropped for a compromise, and the measured times.
std::vector<std::string> lockout_news(const TunnelStatus& before, const TunnelStatus& after) {
    std::vector<std::string> lines;
    for (const std::string& one : after.evicted) {
        const bool told =
            std::find(before.evicted.begin(), before.evicted.end(), one) != before.evicted.end();
        if (!told) lines.push_back(fmt::format("dropped: {}", printable(one)));
    }
    if (after.outage && after.outage != before.outage) {
        lines.push_back(fmt::format("the first unit is back; no unit was connected for {}",
                                    to_text(*after.outage)));
    }
    if (after.lockout && after.lockout != before.lockout) {
        lines.push_back(
            fmt::format("everybody else is locked out after {}: Cloudflare lists only the "
                        "tunnel's own units",
                        to_text(*after.lockout)));
    }
    return lines;
}

}  // namespace

std::vector<std::string> story_of(const TunnelStatus& before, const TunnelStatus& after,
                                  WallTime now) {
    std::vector<std::string> lines;
    const auto tell = [&](const std::string& text) {
        if (!text.empty()) lines.push_back(story_line(now, text));
    };
    // First what ended the previous phase, then the new phase.
    const bool same = same_rotation(before, after);
    const bool next_batch_restarts = after.phase == "roll";
    if (next_batch_restarts || !same) tell(phase_change(before, after));
    for (const UnitStatus& unit : after.units) {
        tell(unit_change(same ? find(before.units, unit.name) : nullptr, unit));
    }
    if (same) {
        for (const std::string& text : surges_that_left(before, after)) tell(text);
    }
    for (const std::string& text : lockout_news(before, after)) tell(text);
    if (!next_batch_restarts && same) tell(phase_change(before, after));
    tell(state_change(before, after));
    return lines;
}

std::string standing_text(const TunnelStatus& tunnel, WallTime now) {
    if (tunnel.state == "waiting") return "still waiting: " + printable(tunnel.reason);
    if (tunnel.state == "paused") return "still paused";
    std::string text = "still in " + phase_text(tunnel);
    if (tunnel.step_ends && *tunnel.step_ends > now) {
        const Milliseconds left = std::chrono::ceil<std::chrono::seconds>(*tunnel.step_ends - now);
        text += fmt::format(", {} left", to_text(left));
    }
    return text;
}

std::string story_line(WallTime now, std::string_view text) {
    return fmt::format("{}  {}", clock_text(now), text);
}

}  // namespace keyturn
