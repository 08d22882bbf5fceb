#pragma once

#include "follower.hpp"
#include "text_layout.hpp"
#include "tunnel_watch.hpp"
#include "wire/tunnel_status.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// What to show.
struct Subject {
    std::string tunnel;            ///< Empty: all of them.
    std::optional<Wanted> wanted;  ///< One rotation of this tunnel; empty: whatever comes.
};

/// What the screen shows, without any I/O: lines that stay, and below them a block that is redrawn
/// on a terminal. It follows one rotation to its end, or watches tunnels until Ctrl-C.
class LiveView {
  public:
    /// `before`: the tunnels before a request, or as first seen. With `plain`, nobody sees the
    /// block, so the lines have to say how each tunnel is at first.
    LiveView(const std::vector<TunnelStatus>& before, Subject subject, bool plain);

    /// The tunnels of the subject as they are at `now`; one that is missing has left the policy.
    [[nodiscard]] std::vector<std::string> saw(const std::vector<TunnelStatus>& tunnels,
                                               WallTime now);

    /// For a pipe, where nothing is redrawn: a line after a long silence, otherwise empty.
    [[nodiscard]] std::vector<std::string> nothing_new(WallTime now);

    /// keyturnd is not on the bus, or the bus itself is gone.
    [[nodiscard]] std::vector<std::string> lost(WallTime now);

    /// The end of the followed rotation, or of the only tunnel.
    [[nodiscard]] const std::optional<Verdict>& verdict() const { return verdict_; }

    /// True until the status shows what was asked for: then ask often.
    [[nodiscard]] bool awaits() const { return followed_ && !followed_->begun(); }

    /// True while something moves that nobody reports: bars and times of open rotations.
    [[nodiscard]] bool moves() const;

    [[nodiscard]] std::vector<std::string> block(WallTime now, const TerminalStyle& style) const;

    /// Returns the lines that stay on the screen after Ctrl-C.
    [[nodiscard]] std::vector<std::string> farewell() const;

  private:
    [[nodiscard]] std::vector<std::string> follow(const TunnelStatus& tunnel, WallTime now);
    [[nodiscard]] std::vector<std::string> watch(const TunnelStatus& tunnel, WallTime now);
    [[nodiscard]] std::vector<std::string> forget_missing(const std::vector<TunnelStatus>& tunnels,
                                                          WallTime now);
    [[nodiscard]] std::vector<std::string> idle_block(WallTime now,
                                                      const TerminalStyle& style) const;

    Subject subject_;
    bool plain_;
    std::optional<Follower> followed_;            ///< One of these two ...
    std::map<std::string, TunnelWatch> watched_;  ///< ... by the tunnel's name.
    std::vector<TunnelStatus> tunnels_;           ///< As last seen.
    std::optional<Verdict> verdict_;
    bool lost_ = false;
};

}  // namespace keyturn
