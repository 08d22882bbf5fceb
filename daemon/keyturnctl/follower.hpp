#pragma once

#include "exit_code.hpp"
#include "wire/tunnel_status.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// How following ended.
struct Verdict {
    ExitCode exit_code = ExitCode::ok;
    std::vector<std::string> lines;
};

/// Which rotation of a tunnel to follow.
enum class Following {
    request,   ///< The one that was just requested, not one that was open before.
    decision,  ///< The open one, after a decision about it that has to show first.
    open,      ///< The open one, whoever started it, from its beginning.
    next,      ///< The next one, or what comes after a hold, whenever that is.
};

/// What the user has asked for.
struct Wanted {
    Following following = Following::decision;
    std::string outcome = "done";  ///< The outcome that counts as success.
    bool named = false;            ///< Put the tunnel's name in front of each event.
};

/// Turns the statuses of one tunnel into the story of one rotation, without any I/O: lines that
/// stay, the same on a terminal and in a pipe.
///
/// Statuses may be missed and may repeat; each line reports a difference to the previous one. After
/// a request or a decision there is no line until the status differs from the one before it,
/// because the daemon may accept a rotation a moment before the status shows it.
class Follower {
  public:
    /// `before` is the status before the request, from which the new rotation is told apart.
    Follower(TunnelStatus before, Wanted wanted);

    /// The tunnel as it is at `now`.
    [[nodiscard]] std::vector<std::string> saw(const TunnelStatus& tunnel, WallTime now);

    /// For a pipe, where nothing is redrawn: a line after a long silence, otherwise empty.
    [[nodiscard]] std::vector<std::string> nothing_new(WallTime now);

    [[nodiscard]] const std::optional<Verdict>& verdict() const { return verdict_; }

    /// True once the status shows the rotation; until then, ask more often.
    [[nodiscard]] bool begun() const { return begun_; }

  private:
    [[nodiscard]] bool has_begun(const TunnelStatus& tunnel, WallTime now);
    [[nodiscard]] bool is_news(const TunnelStatus& tunnel) const;
    [[nodiscard]] bool is_the_one_before(const TunnelStatus& tunnel) const;
    [[nodiscard]] bool is_another(const TunnelStatus& tunnel) const;
    [[nodiscard]] bool has_ended(const TunnelStatus& tunnel) const;
    [[nodiscard]] Verdict verdict_on(const TunnelStatus& tunnel, WallTime now) const;
    [[nodiscard]] Verdict idle_verdict(const TunnelStatus& tunnel, WallTime now) const;
    [[nodiscard]] std::string line(WallTime now, const std::string& text) const;

    TunnelStatus before_;
    TunnelStatus last_;
    Wanted wanted_;
    std::string rotation_id_;  ///< Of the followed rotation, as soon as it has one.
    std::optional<WallTime> started_;
    std::optional<Verdict> verdict_;
    bool begun_ = false;
    std::optional<WallTime> unchanged_since_;
    std::optional<WallTime> told_;  ///< When the last line was reported.
};

}  // namespace keyturn
