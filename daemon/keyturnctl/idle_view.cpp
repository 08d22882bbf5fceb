#include "idle_view.hpp"

#include "base/counted.hpp"
#include "rotation_view.hpp"
#include "tunnel_words.hpp"
#include "unit_tree.hpp"

#include <fmt/format.h>

#include <string_view>

namespace keyturn {
namespace {

/// Where the values of `field` begin.
constexpr std::size_t value_column = 14;

void append(std::vector<std::string>& lines, std::vector<std::string> more) {
    std::move(more.begin(), more.end(), std::back_inserter(lines));
}

std::vector<std::string> field(std::string_view name, std::string_view value, std::size_t columns) {
    if (value.empty()) return {};
    return hanging(fmt::format("  {:<{}}{}", name, value_column - 2, printable(value)), columns,
                   value_column);
}

std::vector<std::string> list_of(const std::vector<std::string>& sentences, std::string head,
                                 std::size_t columns) {
    if (sentences.empty()) return {};
    std::vector<std::string> lines{std::move(head)};
    for (const std::string& sentence : sentences) {
        append(lines, hanging("    - " + printable(sentence), columns, 6));
    }
    return lines;
}

bool ended_well(const TunnelStatus& tunnel) {
    return tunnel.last_outcome.empty() || tunnel.last_outcome == "done";
}

/// How the last rotation ended: the `reason` of an idle tunnel.
std::vector<std::string> ending(const TunnelStatus& tunnel, const TerminalStyle& style) {
    const bool at_rest = tunnel.state == "idle" || tunnel.state == "paused";
    if (is_open(tunnel) || !at_rest || ended_well(tunnel) || tunnel.reason.empty()) return {};
    const std::string head = fmt::format("  Last rotation was {}:", printable(tunnel.last_outcome));
    std::vector<std::string> lines{Paint(style.colour)(TextStyle::bad, head)};
    append(lines, wrapped(tunnel.reason, style.columns, 4));
    return lines;
}

/// "done 2026-03-01 02:30 UTC (28d ago): laptop lost. Every unit runs with the new token"
std::string last_value(const TunnelStatus& tunnel, WallTime now) {
    if (tunnel.last_outcome.empty() && !tunnel.last_done) return "no rotation yet";
    std::string text = tunnel.last_outcome.empty() ? "done" : tunnel.last_outcome;
    const bool done = ended_well(tunnel);
    const std::optional<WallTime> when = done ? tunnel.last_done : tunnel.last_ended;
    if (when) text += fmt::format(" {} ({} ago)", date_text(*when), age_text(*when, now));
    if (is_open(tunnel)) return text;  // The other facts are about the open rotation.
    if (!tunnel.trigger.empty()) text += ": " + tunnel.trigger;
    if (done && !tunnel.reason.empty() && tunnel.state == "idle") text += ". " + tunnel.reason;
    return text;
}

std::string last_done_value(const TunnelStatus& tunnel, WallTime now) {
    if (ended_well(tunnel) || !tunnel.last_done) return {};
    return fmt::format("{} ({} ago)", date_text(*tunnel.last_done),
                       age_text(*tunnel.last_done, now));
}

std::string next_value(const TunnelStatus& tunnel, WallTime now) {
    const std::string reason = next_reason(tunnel);
    const std::string when =
        tunnel.due ? fmt::format("{} ({})", date_text(*tunnel.due), next_text(tunnel, now))
                   : next_text(tunnel, now);
    return reason.empty() ? when : when + ", " + reason;
}

}  // namespace

std::vector<std::string> attention_lines(const TunnelStatus& tunnel, const TerminalStyle& style) {
    std::vector<std::string> lines;
    if (!is_open(tunnel)) append(lines, trouble_lines(tunnel, style));
    std::string head = Paint(style.colour)(TextStyle::warning, "  Findings:");
    append(lines, list_of(tunnel.findings, std::move(head), style.columns));
    append(lines, list_of(tunnel.notes, "  Notes:", style.columns));
    append(lines, ending(tunnel, style));
    return lines;
}

std::vector<std::string> fact_lines(const TunnelStatus& tunnel, WallTime now,
                                    const TerminalStyle& style) {
    std::vector<std::string> lines;
    const auto add = [&](std::string_view name, const std::string& value) {
        append(lines, field(name, value, style.columns));
    };
    add("Tunnel", tunnel.tunnel);
    add("Token", tunnel.fingerprint);
    add("Last", last_value(tunnel, now));
    add("Last done", last_done_value(tunnel, now));
    if (!is_open(tunnel)) add("Rotation", tunnel.rotation_id);
    add("Next", next_value(tunnel, now));
    add("Cloudflare", check_text(tunnel, now));
    return lines;
}

std::vector<std::string> idle_lines(const TunnelStatus& tunnel, WallTime now,
                                    const TerminalStyle& style) {
    std::vector<std::string> lines = fact_lines(tunnel, now, style);
    lines.emplace_back(tunnel.units.empty() ? "  Units: not checked yet" : "  Units:");
    append(lines, idle_unit_lines(tunnel, style));
    append(lines, attention_lines(tunnel, style));
    return lines;
}

std::string idle_summary(const TunnelStatus& tunnel, WallTime now) {
    std::string text = printable(tunnel.state);
    if (!tunnel.units.empty())
        text += fmt::format(", {} {}", serving_text(tunnel),
                            tunnel.units.size() == 1 ? "unit serves" : "units serve");
    text += fmt::format(", {}, next {}", last_text(tunnel, now), next_text(tunnel, now));
    const std::size_t findings = tunnel.findings.size();
    if (findings > 0) text += ", " + counted(findings, "finding");
    if (tunnel.check_fails_since) {
        text += ", checks fail since " + age_text(*tunnel.check_fails_since, now);
    }
    return text;
}

}  // namespace keyturn
