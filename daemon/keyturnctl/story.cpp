#include "story.hpp"

#include "base/error.hpp"
#include "rotation_view.hpp"
#include "text_layout.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {
namespace {

bool same_rotation(const TunnelStatus& before, const TunnelStatus& after) {
    return !before.phase.empty() && before.started == after.started;
}

/// "soak after batch 1 of 2, 10m"
std::string phase_text(const TunnelStatus& tunnel) {
    const std::string phase = printable(tunnel.phase);
    if (tunnel.batch_count == 0 || (phase != "roll" && phase != "soak")) return phase;
    if (tunnel.batch == 0) return phase + ", settling";
    std::string text = fmt::format("{}{} batch {} of {}", phase, phase == "soak" ? " after" : ",",
                                   tunnel.batch, tunnel.batch_count);
    if (phase == "soak" && tunnel.step_started && tunnel.step_ends) {
        text += fmt::format(", {}", to_text(*tunnel.step_ends - *tunnel.step_started));
    }
    return text;
}

std::string phase_change(const TunnelStatus& before, const TunnelStatus& after) {
    if (after.phase.empty()) return {};
    const bool same =
        same_rotation(before, after) && before.phase == after.phase && before.batch == after.batch;
    if (!same) return phase_text(after);
    const bool anew = after.phase == "soak" && after.step_started && before.step_started &&
                      *after.step_started > *before.step_started;
    return anew ? "the soak begins anew: not everything was healthy" : "";
}

std::string state_change(const TunnelStatus& before, const TunnelStatus& after) {
    const bool waits = after.state == "waiting";
    if (waits && (before.state != "waiting" || !say_the_same(before.reason, after.reason))) {
        return fmt::format("waiting: {}", printable(after.reason));
    }
    if (after.state == "paused" && before.state != "paused") return "paused";
    const bool goes_on = after.state == "running" && same_rotation(before, after);
    return goes_on && before.state != "running" ? "goes on" : "";
}

const UnitStatus* find(const std::vector<UnitStatus>& units, const std::string& name) {
    const auto found = std::find_if(units.begin(), units.end(),
                                    [&](const UnitStatus& unit) { return unit.name == name; });
    return found == units.end() ? nullptr : &*found;
}

std::string step_text(const UnitStatus& unit) {
    const std::string head = fmt::format("  {}: ", printable(unit.name));
    if (unit.step == "listed") return head + "does not run; gets the token, is not started";
    if (unit.step != "verified") return head + printable(unit.step);
    const std::string connections = connections_text(unit.connections);
    const std::string proof =
        unit.verified_by.empty() ? "" : fmt::format(" ({})", printable(unit.verified_by));
    return head + "verified" + proof + (connections.empty() ? "" : ", " + connections);
}

std::string unit_change(const UnitStatus* before, const UnitStatus& after) {
    const std::string old_step = before != nullptr ? before->step : "";
    if (after.step == old_step || after.step.empty()) return {};
    // That every unit waits at first goes without saying.
    if (after.step == "waiting" && old_step.empty()) return {};
    return step_text(after);
}

}  // namespace

std::vector<std::string> story_of(const TunnelStatus& before, const TunnelStatus& after,
                                  WallTime now) {
    std::vector<std::string> lines;
    const auto tell = [&](const std::string& text) {
        if (!text.empty()) lines.push_back(story_line(now, text));
    };
    // What ended a phase first, then the next one.
    const bool same = same_rotation(before, after);
    const bool next_batch_restarts = after.phase == "roll";
    if (next_batch_restarts || !same) tell(phase_change(before, after));
    for (const UnitStatus& unit : after.units) {
        tell(unit_change(same ? find(before.units, unit.name) : nullptr, unit));
    }
    if (!next_batch_restarts && same) tell(phase_change(before, after));
    tell(state_change(before, after));
    return lines;
}

std::string story_line(WallTime now, std::string_view text) {
    return fmt::format("{}  {}", clock_text(now), text);
}

}  // namespace keyturn
