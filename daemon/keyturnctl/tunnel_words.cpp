#include "tunnel_words.hpp"

#include "base/counted.hpp"
#include "model/installed_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

namespace keyturn {
namespace {

struct PhaseWork {
    std::string_view phase;
    std::string_view work;
};

constexpr std::array works{
    PhaseWork{"preflight", "checking Cloudflare, the units and the token file; nothing is changed"},
    PhaseWork{"prepare",
              "making the new secret and keeping both on disk; Cloudflare has only the old one"},
    PhaseWork{"commit", "changing the secret at Cloudflare, then writing the token file"},
    PhaseWork{"reverting",
              "bringing the old secret back to Cloudflare, and the old token to the token file"},
    PhaseWork{"roll", "restarting the units one after the other"},
    PhaseWork{"soak", "watching the restarted units before the next batch"},
    PhaseWork{"finish", "waiting until Cloudflare lists only the tunnel's own units"},
};

}  // namespace

bool is_open(const TunnelStatus& tunnel) {
    return !tunnel.phase.empty();
}

std::string phase_text(const TunnelStatus& tunnel) {
    const std::string phase = printable(tunnel.phase);
    if (tunnel.batch_count == 0 || (phase != "roll" && phase != "soak")) return phase;
    if (tunnel.batch == 0) return phase + ", settling";
    return fmt::format("{}{} batch {} of {}", phase, phase == "soak" ? " after" : ",", tunnel.batch,
                       tunnel.batch_count);
}

std::string phase_work(const TunnelStatus& tunnel) {
    const bool settles = tunnel.phase == "roll" && tunnel.batch == 0;
    if (settles) return "waiting a moment between the new token file and the first restart";
    const auto* const found = std::find_if(works.begin(), works.end(), [&](const PhaseWork& one) {
        return one.phase == tunnel.phase;
    });
    return found == works.end() ? "" : std::string(found->work);
}

bool has_token(const TunnelStatus& tunnel) {
    return tunnel.phase == "roll" || tunnel.phase == "soak" || tunnel.phase == "finish";
}

bool lasts_to_its_end(const TunnelStatus& tunnel) {
    return tunnel.phase == "soak" || (tunnel.phase == "roll" && tunnel.batch == 0);
}

std::string age_text(WallTime since, WallTime now) {
    const auto age = std::chrono::floor<std::chrono::seconds>(now - since);
    return age > std::chrono::seconds{0} ? to_text(Milliseconds{age}) : "0s";
}

std::string last_text(const TunnelStatus& tunnel, WallTime now) {
    const bool done = tunnel.last_outcome.empty() || tunnel.last_outcome == "done";
    const std::string outcome = done ? "done" : printable(tunnel.last_outcome);
    const std::optional<WallTime> when = done ? tunnel.last_done : tunnel.last_ended;
    if (when) return fmt::format("{} {} ago", outcome, age_text(*when, now));
    return tunnel.last_outcome.empty() ? "no rotation yet" : outcome;
}

std::string next_text(const TunnelStatus& tunnel, WallTime now) {
    if (!tunnel.due) return tunnel.due_cause == "never" ? "no window fits" : "on demand";
    const bool later = *tunnel.due > now;
    return later ? "in " + age_text(now, *tunnel.due) : "since " + age_text(*tunnel.due, now);
}

std::string next_reason(const TunnelStatus& tunnel) {
    const std::string& cause = tunnel.due_cause;
    if (tunnel.state == "paused") return "paused: nothing starts until resume";
    if (cause == "window") return "waits for a window";
    if (cause == "freeze") return "postponed by a freeze";
    if (cause == "max_age") return "max_age: too old to wait for a window";
    if (cause == "never") return "use longer windows, a shorter soak, or max_age";
    return cause.empty() ? "" : "by the schedule";
}

std::string check_text(const TunnelStatus& tunnel, WallTime now) {
    const bool checked = tunnel.last_check.has_value();
    const std::string ago = checked ? age_text(*tunnel.last_check, now) + " ago" : "";
    if (!tunnel.check_fails_since) {
        return checked ? "token checked " + ago : "token not checked since keyturnd started";
    }
    return fmt::format(
        "checks fail since {}; {}", age_text(*tunnel.check_fails_since, now),
        checked ? "the last good one was " + ago : "none was good since keyturnd started");
}

std::string serving_text(const TunnelStatus& tunnel) {
    if (tunnel.units.empty()) return "-";
    const auto serving = std::count_if(tunnel.units.begin(), tunnel.units.end(),
                                       [](const UnitStatus& unit) { return unit.connections > 0; });
    return fmt::format("{}/{}", serving, tunnel.units.size());
}

bool is_surge(const UnitStatus& unit) {
    return is_surge_unit(unit.name);
}

std::string step_word(const UnitStatus& unit) {
    if (is_surge(unit) && unit.step == "restarting") return "starting";
    if (is_surge(unit) && unit.step == "verified") return "serving";
    return printable(unit.step);
}

UnitHealth health_of(const TunnelStatus& tunnel, const UnitStatus& unit) {
    const auto found =
        std::find_if(tunnel.health.begin(), tunnel.health.end(),
                     [&](const UnitHealth& health) { return health.name == unit.name; });
    return found == tunnel.health.end() ? UnitHealth{} : *found;
}

std::string service_text(const UnitStatus& unit, const UnitHealth& health) {
    const std::string& word = health.health;
    if (word == "stopped" || word == "failed" || word == "starting") return word;
    if (unit.connections < 0) return {};
    if (health.baseline <= 0) return counted(unit.connections, "connection");
    return fmt::format("{}/{}", unit.connections, counted(health.baseline, "connection"));
}

std::string token_words(const UnitHealth& health) {
    if (health.token_age == "current") return "current token";
    if (health.token_age == "older") return "older token " + printable(health.fingerprint);
    return health.token_age == "unknown" ? "token unknown" : "";
}

}  // namespace keyturn
