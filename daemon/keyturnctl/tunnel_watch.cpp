#include "tunnel_watch.hpp"

#include "story.hpp"
#include "text_layout.hpp"
#include "tunnel_words.hpp"

namespace keyturn {
namespace {

void append(std::vector<std::string>& lines, const std::vector<std::string>& more) {
    lines.insert(lines.end(), more.begin(), more.end());
}

}  // namespace

TunnelWatch::TunnelWatch(const TunnelStatus& first, bool named)
    : named_(named),
      last_(first),
      follower_(follower_after(first, is_open(first) ? Following::open : Following::next)) {}

std::vector<std::string> TunnelWatch::saw(const TunnelStatus& tunnel, WallTime now) {
    std::vector<std::string> lines;
    const std::string name = named_ ? printable(tunnel.name) + ": " : "";
    for (const std::string& text : news_between(last_, tunnel)) {
        lines.push_back(story_line(now, name + text));
    }
    last_ = tunnel;
    append(lines, follower_.saw(tunnel, now));
    if (!follower_.verdict()) return lines;
    const Verdict verdict = *follower_.verdict();
    for (const std::string& text : verdict.lines) lines.push_back(story_line(now, text));
    const bool replaced = verdict.exit_code == ExitCode::superseded && is_open(tunnel);
    follower_ = follower_after(tunnel, replaced ? Following::open : Following::next);
    if (replaced) append(lines, follower_.saw(tunnel, now));
    return lines;
}

std::vector<std::string> TunnelWatch::nothing_new(WallTime now) {
    return follower_.nothing_new(now);
}

Follower TunnelWatch::follower_after(const TunnelStatus& tunnel, Following following) const {
    return {tunnel, {following, "done", named_}};
}

}  // namespace keyturn
