#include "live_view.hpp"

#include "idle_view.hpp"
#include "rotation_view.hpp"
#include "story.hpp"
#include "tunnel_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn {
namespace {

void append(std::vector<std::string>& lines, std::vector<std::string> more) {
    std::move(more.begin(), more.end(), std::back_inserter(lines));
}

bool has(const std::vector<TunnelStatus>& tunnels, const std::string& name) {
    return std::any_of(tunnels.begin(), tunnels.end(),
                       [&](const TunnelStatus& tunnel) { return tunnel.name == name; });
}

std::vector<std::string> open_block(const TunnelStatus& tunnel, WallTime now,
                                    const TerminalStyle& style, bool lost) {
    std::vector<std::string> lines{""};
    append(lines, rotation_lines(tunnel, now, style, lost));
    append(lines, attention_lines(tunnel, style));
    return lines;
}

}  // namespace

LiveView::LiveView(const std::vector<TunnelStatus>& before, Subject subject, bool plain)
    : subject_(std::move(subject)), plain_(plain), tunnels_(before) {
    if (subject_.wanted && !before.empty()) followed_.emplace(before.front(), *subject_.wanted);
}

std::vector<std::string> LiveView::saw(const std::vector<TunnelStatus>& tunnels, WallTime now) {
    if (verdict_) return {};
    std::vector<std::string> lines;
    if (std::exchange(lost_, false)) lines.push_back(story_line(now, "keyturnd is back"));
    append(lines, forget_missing(tunnels, now));
    tunnels_ = tunnels;
    for (const TunnelStatus& tunnel : tunnels) {
        append(lines, followed_ ? follow(tunnel, now) : watch(tunnel, now));
    }
    return lines;
}

std::vector<std::string> LiveView::follow(const TunnelStatus& tunnel, WallTime now) {
    std::vector<std::string> lines = followed_->saw(tunnel, now);
    verdict_ = followed_->verdict();
    return lines;
}

std::vector<std::string> LiveView::watch(const TunnelStatus& tunnel, WallTime now) {
    const bool named = subject_.tunnel.empty();
    const auto [entry, is_new] = watched_.try_emplace(tunnel.name, tunnel, named);
    std::vector<std::string> lines;
    if (is_new && plain_ && !is_open(tunnel)) {
        lines.push_back(story_line(
            now, fmt::format("{}: {}", printable(tunnel.name), idle_summary(tunnel, now))));
    }
    append(lines, entry->second.saw(tunnel, now));
    return lines;
}

std::vector<std::string> LiveView::forget_missing(const std::vector<TunnelStatus>& tunnels,
                                                  WallTime now) {
    std::vector<std::string> lines;
    for (const TunnelStatus& known : tunnels_) {
        if (has(tunnels, known.name)) continue;
        std::string text = fmt::format("{}: this tunnel is no longer in the policy of keyturnd",
                                       printable(known.name));
        watched_.erase(known.name);
        if (subject_.tunnel.empty()) {
            lines.push_back(story_line(now, text));
        } else {
            verdict_ = Verdict{ExitCode::error, {std::move(text)}};
        }
    }
    return lines;
}

std::vector<std::string> LiveView::nothing_new(WallTime now) {
    std::vector<std::string> lines;
    if (verdict_ || lost_) return lines;
    if (followed_) return followed_->nothing_new(now);
    for (auto& [name, watched] : watched_) append(lines, watched.nothing_new(now));
    return lines;
}

std::vector<std::string> LiveView::lost(WallTime now) {
    if (verdict_ || std::exchange(lost_, true)) return {};
    return {story_line(now, "keyturnd is not running; waiting for it (Ctrl-C stops following)")};
}

bool LiveView::moves() const {
    return !lost_ && std::any_of(tunnels_.begin(), tunnels_.end(), is_open);
}

std::vector<std::string> LiveView::block(WallTime now, const TerminalStyle& style) const {
    if (verdict_ || awaits()) return {};
    std::vector<std::string> lines;
    for (const TunnelStatus& tunnel : tunnels_) {
        if (is_open(tunnel)) append(lines, open_block(tunnel, now, style, lost_));
    }
    if (!followed_) append(lines, idle_block(now, style));
    return lines;
}

/// One tunnel alone is shown in full, several take a line each.
std::vector<std::string> LiveView::idle_block(WallTime now, const TerminalStyle& style) const {
    if (tunnels_.empty()) return {"", "The policy has no tunnels."};
    std::vector<std::string> lines;
    std::size_t name_columns = 0;
    for (const TunnelStatus& tunnel : tunnels_) {
        name_columns = std::max(name_columns, columns_of(printable(tunnel.name)));
    }
    const Paint paint(style.colour);
    for (const TunnelStatus& tunnel : tunnels_) {
        if (is_open(tunnel)) continue;
        if (lines.empty()) lines.emplace_back();
        const std::string name = printable(tunnel.name);
        if (tunnels_.size() > 1) {
            lines.push_back(
                fitted(fmt::format("{}  {}", padded(name, name_columns), idle_summary(tunnel, now)),
                       style.columns));
            continue;
        }
        const std::string head =
            fitted(fmt::format("{}: {}", name, printable(tunnel.state)), style.columns);
        lines.push_back(paint(TextStyle::strong, head));
        append(lines, idle_lines(tunnel, now, style));
    }
    return lines;
}

std::vector<std::string> LiveView::farewell() const {
    std::vector<std::string> lines;
    for (const TunnelStatus& tunnel : tunnels_) {
        if (!followed_ && !is_open(tunnel)) continue;
        lines.push_back(
            fmt::format("The rotation of {0} continues. To see its progress: keyturnctl watch {0}",
                        printable(tunnel.name)));
    }
    return lines;
}

}  // namespace keyturn
