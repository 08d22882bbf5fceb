#pragma once

#include "exit_code.hpp"
#include "rotation_view.hpp"
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

/// What the user has asked for.
struct Wanted {
    std::string outcome = "done";  ///< The outcome that counts as success.
    bool new_rotation = false;     ///< Ignore a rotation that is already open.
};

/// Turns the statuses of one tunnel into the story of its rotation, without any I/O: lines that
/// stay (the same on a terminal and in a pipe), and a block that a terminal redraws below them.
///
/// Statuses may be missed and may repeat; each line reports a difference to the previous one. There
/// is no line until the status differs from the one before the request, because the daemon may
/// accept a rotation a moment before the status shows it.
class Follower {
  public:
    /// `before` is the status before the request, from which the new rotation is told apart.
    explicit Follower(TunnelStatus before, Wanted wanted = Wanted());

    /// The tunnel as it is at `now`.
    [[nodiscard]] std::vector<std::string> saw(const TunnelStatus& tunnel, WallTime now);

    /// For a pipe, where nothing is redrawn: a line after a long silence, otherwise empty.
    [[nodiscard]] std::vector<std::string> nothing_new(WallTime now);

    /// keyturnd is not on the bus, or the bus itself is gone.
    [[nodiscard]] std::vector<std::string> lost(WallTime now);

    /// keyturnd is there but the tunnel is not: a new policy has removed it.
    void left_out();

    [[nodiscard]] const std::optional<Verdict>& verdict() const { return verdict_; }

    /// True once the status shows the rotation; until then, ask more often.
    [[nodiscard]] bool begun() const { return begun_; }

    [[nodiscard]] std::vector<std::string> live_block(WallTime now,
                                                      const TerminalStyle& style) const;

    /// Returns the text that stays on the screen after Ctrl-C.
    [[nodiscard]] std::string farewell() const;

  private:
    [[nodiscard]] bool has_begun(const TunnelStatus& tunnel, WallTime now);
    [[nodiscard]] bool is_the_one_before(const TunnelStatus& tunnel) const;
    [[nodiscard]] bool is_another(const TunnelStatus& tunnel) const;
    void supersede(const TunnelStatus& tunnel);
    [[nodiscard]] bool has_ended(const TunnelStatus& tunnel) const;
    void conclude(const TunnelStatus& tunnel, WallTime now);
    [[nodiscard]] Verdict idle_verdict(const TunnelStatus& tunnel, WallTime now) const;

    TunnelStatus before_;
    TunnelStatus last_;
    Wanted wanted_;
    std::string rotation_id_;  ///< Of the followed rotation, as soon as it has one.
    std::optional<WallTime> started_;
    std::optional<Verdict> verdict_;
    bool begun_ = false;
    bool lost_ = false;
    std::optional<WallTime> unchanged_since_;
    std::optional<WallTime> told_;  ///< When the last line was reported.
};

}  // namespace keyturn
