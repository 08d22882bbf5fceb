#pragma once

#include "time/moment.hpp"

#include <chrono>

namespace keyturn {

/// Every time of the fleet's protocol, so that tests can shorten them. Nothing here compares the
/// clocks of two hosts: each host measures on its own.
struct FleetTimes {
    // How often a host looks at the object.
    Milliseconds idle_look = std::chrono::seconds{60};  ///< Without an open rotation.
    Milliseconds hasty_look = std::chrono::seconds{1};  ///< From the start to the last delivery.
    Milliseconds roll_look = std::chrono::seconds{2};   ///< While units restart.
    Milliseconds soak_look = std::chrono::seconds{10};  ///< While nothing changes.

    /// How long the members have to answer a question before a start.
    Milliseconds answer = std::chrono::seconds{90};
    /// How long a host has to take its turn before the lead withdraws it. A host declines a turn
    /// that may be older.
    Milliseconds take = std::chrono::seconds{20};
    /// How long after its turn was taken or withdrawn a host may say nothing before a person has
    /// to decide. For a turn that was taken, its own deadline is added.
    Milliseconds silence = std::chrono::minutes{5};
    /// A host that took its turn longer ago than this does not use it: much may have happened
    /// meanwhile.
    Milliseconds take_age = std::chrono::seconds{10};
    /// How often the lead shows that it works, if nothing else changes.
    Milliseconds beat = std::chrono::seconds{20};
    /// How long the object may stay unchanged before another host takes over, and how much longer
    /// each further host waits.
    Milliseconds take_over = std::chrono::seconds{90};
    Milliseconds take_over_rank = std::chrono::seconds{30};
    /// Between two good reads while waiting for that; a longer gap starts the wait anew.
    Milliseconds take_over_gap = std::chrono::seconds{30};
    /// A host changes nothing at Cloudflare if it has not seen for this long that it leads.
    Milliseconds lead_age = std::chrono::seconds{30};
    /// A lead that cannot reach Cloudflare for this long lets another host lead.
    Milliseconds api_outage = std::chrono::minutes{5};
    /// A scheduled start waits this much longer on each further host.
    Milliseconds start_rank = std::chrono::minutes{10};
    /// A unit without any connection for this long restarts without a turn: that takes nothing
    /// down.
    Milliseconds useless = std::chrono::seconds{60};

    /// The same times, all longer or shorter.
    [[nodiscard]] FleetTimes scaled(double factor) const;
};

}  // namespace keyturn
