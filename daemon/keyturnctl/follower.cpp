#include "follower.hpp"

#include "rotation_view.hpp"
#include "story.hpp"
#include "tunnel_words.hpp"

#include <fmt/format.h>

#include <tuple>
#include <utility>

namespace keyturn {
namespace {

/// How long the status may stay the same after the request. After that it counts as the result,
/// because a second refusal for the same reason looks like the first one.
constexpr std::chrono::seconds unchanged_max{3};

/// How long a pipe stays silent before a line shows that keyturnctl still runs.
constexpr std::chrono::minutes silence_max{10};

/// Wide enough that no line is broken.
constexpr std::size_t line_columns = 200;

bool is_over(const TunnelStatus& tunnel) {
    const bool at_rest = tunnel.state == "paused" && !is_open(tunnel);
    return tunnel.state == "idle" || tunnel.state == "held" || at_rest;
}

std::vector<std::string> sentence(std::string text) {
    return {std::move(text)};
}

Verdict superseded_by(const TunnelStatus& tunnel) {
    const std::string name = printable(tunnel.name);
    return {ExitCode::superseded,
            {fmt::format("{}: superseded: another rotation replaced it ({})", name,
                         printable(tunnel.trigger)),
             fmt::format("To see its status: keyturnctl status {}", name)}};
}

/// What tells one rotation, or the end of one, from another.
auto mark_of(const TunnelStatus& tunnel) {
    return std::tie(tunnel.state, tunnel.phase, tunnel.reason, tunnel.hold_reason, tunnel.held_unit,
                    tunnel.rotation_id, tunnel.trigger, tunnel.started, tunnel.last_outcome,
                    tunnel.last_done, tunnel.last_ended);
}

}  // namespace

Follower::Follower(TunnelStatus before, Wanted wanted)
    : before_(std::move(before)), last_(before_), wanted_(std::move(wanted)) {
    // Somebody who has just come does not know what has already happened.
    if (wanted_.following == Following::open) last_ = TunnelStatus{};
}

std::vector<std::string> Follower::saw(const TunnelStatus& tunnel, WallTime now) {
    if (verdict_ || !has_begun(tunnel, now)) return {};
    const bool first = !std::exchange(begun_, true);
    if (is_another(tunnel)) {
        verdict_ = superseded_by(tunnel);
        return {};
    }
    std::vector<std::string> lines;
    const bool comes_by_itself = wanted_.following == Following::next && !is_open(before_);
    const bool unasked = wanted_.following == Following::open || comes_by_itself;
    if (first && unasked && is_open(tunnel)) lines.push_back(line(now, opening_text(tunnel, now)));
    if (is_open(tunnel)) rotation_id_ = tunnel.rotation_id;
    // An idle tunnel may no longer show when the rotation started.
    if (tunnel.started && is_open(tunnel)) started_ = tunnel.started;
    for (const std::string& text : story_of(last_, tunnel)) lines.push_back(line(now, text));
    last_ = tunnel;
    if (!lines.empty()) told_ = now;
    if (is_over(tunnel)) verdict_ = verdict_on(tunnel, now);
    return lines;
}

std::string Follower::line(WallTime now, const std::string& text) const {
    return story_line(now, wanted_.named ? printable(before_.name) + ": " + text : text);
}

/// After a request, the rotation has started if its marks differ from those before the request. It
/// counts as started after `unchanged_max`, too.
bool Follower::has_begun(const TunnelStatus& tunnel, WallTime now) {
    if (begun_) return true;
    if (wanted_.following == Following::next) return is_news(tunnel);
    if (wanted_.following == Following::open && is_open(tunnel)) return true;
    if (!is_the_one_before(tunnel)) return true;
    if (!unchanged_since_ || now < *unchanged_since_) unchanged_since_ = now;
    return is_over(tunnel) && now - *unchanged_since_ >= unchanged_max;
}

/// Returns true if a rotation is open that was not, if a hold has ended or changed, or if a
/// rotation has ended that was too fast to be seen. An older daemon does not report `last_ended`.
bool Follower::is_news(const TunnelStatus& tunnel) const {
    if (is_open(tunnel) || is_open(before_)) return mark_of(tunnel) != mark_of(before_);
    if (tunnel.last_ended || before_.last_ended) return tunnel.last_ended != before_.last_ended;
    return tunnel.last_done != before_.last_done || tunnel.rotation_id != before_.rotation_id;
}

bool Follower::is_the_one_before(const TunnelStatus& tunnel) const {
    if (is_over(tunnel)) return mark_of(tunnel) == mark_of(before_);
    const bool still_open = is_open(before_) && tunnel.started == before_.started &&
                            tunnel.rotation_id == before_.rotation_id;
    return wanted_.following == Following::request && still_open;
}

/// A refused rotation has no id. A rotation that left no trace leaves the id of the previous one.
bool Follower::is_another(const TunnelStatus& tunnel) const {
    const bool known = !is_open(tunnel) && tunnel.rotation_id == before_.rotation_id;
    return !rotation_id_.empty() && !tunnel.rotation_id.empty() && !known &&
           tunnel.rotation_id != rotation_id_;
}

std::vector<std::string> Follower::nothing_new(WallTime now) {
    if (!begun_ || verdict_ || (told_ && now - *told_ < silence_max)) return {};
    told_ = now;
    return sentence(line(now, standing_text(last_, now)));
}

Verdict Follower::verdict_on(const TunnelStatus& tunnel, WallTime now) const {
    if (tunnel.state != "held") return idle_verdict(tunnel, now);
    auto lines = sentence(fmt::format("{}: held ({}): {}", printable(tunnel.name),
                                      printable(tunnel.hold_reason), printable(tunnel.reason)));
    for (std::string& remedy : remedy_lines(tunnel, line_columns, 0)) {
        lines.push_back(std::move(remedy));
    }
    return {ExitCode::held, std::move(lines)};
}

/// A successful rotation changes `last_done`; any other has a new id.
bool Follower::has_ended(const TunnelStatus& tunnel) const {
    if (tunnel.last_outcome == "done") return tunnel.last_done != before_.last_done;
    const bool news = tunnel.rotation_id != before_.rotation_id || is_open(before_);
    return !tunnel.last_outcome.empty() && news;
}

Verdict Follower::idle_verdict(const TunnelStatus& tunnel, WallTime now) const {
    const std::string name = printable(tunnel.name);
    const std::string why = printable(tunnel.reason);
    if (tunnel.last_outcome == "refused") {
        return {ExitCode::refused,
                sentence(fmt::format("{}: refused, nothing was touched: {}", name, why))};
    }
    // A rotation without a trace was cut short before it wrote its record, and so before it changed
    // anything.
    if (!has_ended(tunnel)) {
        return {ExitCode::error,
                sentence(fmt::format("{}: ended without a result, before anything was touched; "
                                     "to see why: journalctl -u keyturnd",
                                     name))};
    }
    if (tunnel.last_outcome != "done") {
        const bool asked_for = tunnel.last_outcome == wanted_.outcome;
        const auto code = asked_for ? ExitCode::ok : exit_code_of_outcome(tunnel.last_outcome);
        return {code,
                sentence(fmt::format("{}: {}: {}", name, printable(tunnel.last_outcome), why))};
    }
    // The duration is negative if somebody set the wall clock back.
    const Milliseconds took = tunnel.last_done.value_or(now) - started_.value_or(now);
    const bool known = started_ && took >= Milliseconds{0};
    const std::string length = known ? fmt::format(" in {}", to_text(took)) : "";
    Verdict verdict{ExitCode::ok,
                    sentence(fmt::format("{}: done{}; the fingerprint of the token is {}", name,
                                         length, printable(tunnel.fingerprint)))};
    if (tunnel.lockout) {
        verdict.lines.push_back(fmt::format("{}: everybody else was locked out after {}", name,
                                            to_text(*tunnel.lockout)));
    }
    if (tunnel.outage) {
        verdict.lines.push_back(
            fmt::format("{}: no unit was connected for {}", name, to_text(*tunnel.outage)));
    }
    return verdict;
}

}  // namespace keyturn
