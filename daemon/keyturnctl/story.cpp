#include "story.hpp"

#include "base/error.hpp"
#include "text_layout.hpp"
#include "tunnel_words.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {
namespace {

/// While something is unhealthy, each check restarts the soak. The story shows that as one event.
constexpr std::chrono::seconds soak_news_min{10};

/// Up to this age, a rotation starts now.
constexpr std::chrono::seconds newly_started{2};

bool same_rotation(const TunnelStatus& before, const TunnelStatus& after) {
    return !before.phase.empty() && before.started == after.started;
}

/// "soak after batch 1 of 2, 10m: watching the restarted units before the next batch"
std::string phase_beginning(const TunnelStatus& tunnel) {
    std::string text = phase_text(tunnel);
    const bool timed = lasts_to_its_end(tunnel) && tunnel.step_started && tunnel.step_ends;
    if (timed) text += fmt::format(", {}", to_text(*tunnel.step_ends - *tunnel.step_started));
    const std::string work = phase_work(tunnel);
    return work.empty() ? text : text + ": " + work;
}

/// What the phases before the roll-out have done.
std::string token_change(const TunnelStatus& before, const TunnelStatus& after) {
    if (!same_rotation(before, after) || has_token(before) || !has_token(after)) return {};
    const bool same_secret = after.kind == "adopt" || after.kind == "release";
    const bool reverted = before.phase == "reverting";
    return fmt::format("Cloudflare and the token file have the {}token {}",
                       same_secret ? ""
                       : reverted  ? "old "
                                   : "new ",
                       printable(after.fingerprint));
}

std::string phase_change(const TunnelStatus& before, const TunnelStatus& after) {
    if (after.phase.empty()) return {};
    const bool same =
        same_rotation(before, after) && before.phase == after.phase && before.batch == after.batch;
    if (!same) return phase_beginning(after);
    const bool anew = after.phase == "soak" && after.step_started && before.step_started &&
                      *after.step_started - *before.step_started >= soak_news_min;
    return anew ? "the soak starts over: something was unhealthy or could not be checked" : "";
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
    const std::string connections = service_text(unit, UnitHealth{});
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

std::vector<std::string> story_of(const TunnelStatus& before, const TunnelStatus& after) {
    std::vector<std::string> lines;
    const auto tell = [&](const std::string& text) {
        if (!text.empty()) lines.push_back(text);
    };
    // First what ended the previous phase, then the new phase.
    const bool same = same_rotation(before, after);
    const bool next_batch_restarts = after.phase == "roll";
    tell(token_change(before, after));
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

std::vector<std::string> news_between(const TunnelStatus& before, const TunnelStatus& after) {
    std::vector<std::string> lines;
    const auto news = [&](std::string_view what, const std::vector<std::string>& old,
                          const std::vector<std::string>& current) {
        for (const std::string& text : current) {
            const bool told = std::any_of(old.begin(), old.end(), [&](const std::string& one) {
                return say_the_same(one, text);
            });
            if (!told) lines.push_back(fmt::format("{}: {}", what, printable(text)));
        }
    };
    news("finding", before.findings, after.findings);
    news("no longer a finding", after.findings, before.findings);
    if (is_open(after)) return lines;
    const bool another = before.state != after.state || !say_the_same(before.reason, after.reason);
    if (after.state == "paused" && before.state != "paused") lines.emplace_back("paused");
    if (after.state == "idle" && before.state == "paused") lines.emplace_back("no longer paused");
    if ((after.state == "held" || after.state == "waiting") && another) {
        lines.push_back(fmt::format("{}: {}", after.state, printable(after.reason)));
    }
    return lines;
}

std::string opening_text(const TunnelStatus& tunnel, WallTime now) {
    std::string text = "rotation";
    if (!tunnel.trigger.empty()) text += fmt::format(" ({})", printable(tunnel.trigger));
    const bool just_now = !tunnel.started || now - *tunnel.started < newly_started;
    if (just_now) return text + " starts";
    return text + fmt::format(", started {} ago", age_text(*tunnel.started, now));
}

std::string story_line(WallTime now, std::string_view text) {
    return fmt::format("{}  {}", clock_text(now), text);
}

}  // namespace keyturn
