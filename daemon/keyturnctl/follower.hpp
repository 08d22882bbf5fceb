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

/// What was asked for.
struct Wanted {
    std::string outcome = "done";  ///< Which is a success.
    bool new_rotation = false;     ///< Not to go on with the one that is open.
};

/// Turns what is seen of one tunnel into the story of its rotation, without any I/O: lines that
/// stay (the same on a terminal and in a pipe), and the block that a terminal redraws below them.
///
/// Statuses may be missed and may repeat; what is told is the difference to the one before. Nothing
/// is told until the status differs from the one before the request: the daemon may accept a
/// rotation a moment before it shows.
class Follower {
  public:
    /// `before` is the status from before the request, which is what the rotation is told apart by.
    explicit Follower(TunnelStatus before, Wanted wanted = Wanted());

    /// The tunnel as it is at `now`.
    [[nodiscard]] std::vector<std::string> saw(const TunnelStatus& tunnel, WallTime now);

    /// For a pipe, where nothing is redrawn: a line after a long silence, else nothing.
    [[nodiscard]] std::vector<std::string> nothing_new(WallTime now);

    /// keyturnd is not on the bus, or the bus itself is gone.
    [[nodiscard]] std::vector<std::string> lost(WallTime now);

    /// The tunnel is not there although keyturnd is: a changed policy left it out.
    void left_out();

    [[nodiscard]] const std::optional<Verdict>& verdict() const { return verdict_; }

    /// Whether the rotation has shown: until then it is worth looking more often.
    [[nodiscard]] bool begun() const { return begun_; }

    [[nodiscard]] std::vector<std::string> live_block(WallTime now,
                                                      const TerminalStyle& style) const;

    /// What Ctrl-C leaves on the screen.
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
    std::string rotation_id_;  ///< Of the one that is followed, as soon as it has one.
    std::optional<WallTime> started_;
    std::optional<Verdict> verdict_;
    bool begun_ = false;
    bool lost_ = false;
    std::optional<WallTime> unchanged_since_;
    std::optional<WallTime> told_;  ///< When there was something to tell.
};

}  // namespace keyturn
