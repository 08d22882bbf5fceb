#include "follower.hpp"

#include "story.hpp"

#include <fmt/format.h>

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
    const bool at_rest = tunnel.state == "paused" && tunnel.phase.empty();
    return tunnel.state == "idle" || tunnel.state == "held" || at_rest;
}

std::vector<std::string> sentence(std::string text) {
    return {std::move(text)};
}

}  // namespace

Follower::Follower(TunnelStatus before, Wanted wanted)
    : before_(std::move(before)), last_(before_), wanted_(std::move(wanted)) {}

std::vector<std::string> Follower::saw(const TunnelStatus& tunnel, WallTime now) {
    if (verdict_) return {};
    std::vector<std::string> lines;
    if (std::exchange(lost_, false)) lines.push_back(story_line(now, "keyturnd is back"));
    if (!has_begun(tunnel, now)) return lines;
    begun_ = true;
    if (is_another(tunnel)) {
        supersede(tunnel);
        return lines;
    }
    if (!tunnel.phase.empty()) rotation_id_ = tunnel.rotation_id;
    // An idle tunnel may no longer show when the rotation started.
    if (tunnel.started && !tunnel.phase.empty()) started_ = tunnel.started;
    for (std::string& line : story_of(last_, tunnel, now)) lines.push_back(std::move(line));
    last_ = tunnel;
    if (!lines.empty()) told_ = now;
    if (is_over(tunnel)) conclude(tunnel, now);
    return lines;
}

/// The rotation has started if anything differs from the status before the request, except the
/// connections and the time of the next rotation. It counts as started after `unchanged_max`, too.
bool Follower::has_begun(const TunnelStatus& tunnel, WallTime now) {
    if (begun_) return true;
    if (!is_the_one_before(tunnel)) return true;
    if (!unchanged_since_ || now < *unchanged_since_) unchanged_since_ = now;
    return is_over(tunnel) && now - *unchanged_since_ >= unchanged_max;
}

bool Follower::is_the_one_before(const TunnelStatus& tunnel) const {
    if (!is_over(tunnel)) {
        const bool still_open = !before_.phase.empty() && tunnel.started == before_.started &&
                                tunnel.rotation_id == before_.rotation_id;
        return wanted_.new_rotation && still_open;
    }
    TunnelStatus same = tunnel;
    same.units = before_.units;
    same.due = before_.due;
    return same == before_;
}

/// A refused rotation has no id. A rotation that left no trace leaves the id of the previous one.
bool Follower::is_another(const TunnelStatus& tunnel) const {
    const bool at_rest = tunnel.phase.empty();
    const bool known = at_rest && tunnel.rotation_id == before_.rotation_id;
    return !rotation_id_.empty() && !tunnel.rotation_id.empty() && !known &&
           tunnel.rotation_id != rotation_id_;
}

void Follower::supersede(const TunnelStatus& tunnel) {
    const std::string name = printable(tunnel.name);
    verdict_ = Verdict{ExitCode::superseded,
                       {fmt::format("{}: superseded: another rotation replaced it ({})", name,
                                    printable(tunnel.trigger)),
                        fmt::format("To see its status: keyturnctl status {}", name)}};
}

std::vector<std::string> Follower::nothing_new(WallTime now) {
    if (!begun_ || verdict_ || lost_ || (told_ && now - *told_ < silence_max)) return {};
    told_ = now;
    return sentence(story_line(now, standing_text(last_, now)));
}

std::vector<std::string> Follower::lost(WallTime now) {
    if (verdict_ || std::exchange(lost_, true)) return {};
    return sentence(
        story_line(now, "keyturnd is not running; waiting for it (Ctrl-C stops following)"));
}

void Follower::left_out() {
    verdict_ =
        Verdict{ExitCode::error,
                sentence(fmt::format("{}: this tunnel is no longer in the policy of keyturnd",
                                     printable(before_.name)))};
}

void Follower::conclude(const TunnelStatus& tunnel, WallTime now) {
    if (tunnel.state != "held") {
        verdict_ = idle_verdict(tunnel, now);
        return;
    }
    verdict_ =
        Verdict{ExitCode::held,
                sentence(fmt::format("{}: held ({}): {}", printable(tunnel.name),
                                     printable(tunnel.hold_reason), printable(tunnel.reason)))};
    for (std::string& line : remedy_lines(tunnel, line_columns, 0)) {
        verdict_->lines.push_back(std::move(line));
    }
}

/// A successful rotation changes `last_done`; any other has a new id.
bool Follower::has_ended(const TunnelStatus& tunnel) const {
    if (tunnel.last_outcome == "done") return tunnel.last_done != before_.last_done;
    const bool news = tunnel.rotation_id != before_.rotation_id || !before_.phase.empty();
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

std::vector<std::string> Follower::live_block(WallTime now, const TerminalStyle& style) const {
    if (verdict_ || !begun_) return {};
    std::vector<std::string> block{""};
    for (std::string& line : unit_lines(last_, style)) block.push_back(std::move(line));
    if (lost_) return block;
    for (std::string& line : trouble_lines(last_, style)) block.push_back(std::move(line));
    std::string step = step_line(last_, now, style.columns);
    if (!step.empty()) block.push_back(std::move(step));
    return block;
}

std::string Follower::farewell() const {
    return fmt::format("The rotation of {0} continues. To see its progress: keyturnctl status {0}",
                       printable(before_.name));
}

}  // namespace keyturn
