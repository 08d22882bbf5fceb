#pragma once

#include "follower.hpp"
#include "wire/tunnel_status.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// Follows the rotations of one tunnel, one after the other, and reports what happens between them.
/// A hold is no end: it reports the hold, and continues after the decision. Without any I/O.
class TunnelWatch {
  public:
    /// `first` is the tunnel as first seen. `named`: put its name in front of each event.
    TunnelWatch(const TunnelStatus& first, bool named);

    [[nodiscard]] std::vector<std::string> saw(const TunnelStatus& tunnel, WallTime now);
    [[nodiscard]] std::vector<std::string> nothing_new(WallTime now);

  private:
    [[nodiscard]] Follower follower_after(const TunnelStatus& tunnel, Following following) const;

    bool named_;
    TunnelStatus last_;
    Follower follower_;
};

}  // namespace keyturn
