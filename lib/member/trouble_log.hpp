#pragma once

#include "agent/problems.hpp"
#include "journal/event_log.hpp"
#include "policy/policy.hpp"

#include <fmt/format.h>

#include <string>
#include <utility>
#include <vector>

namespace keyturn {

/// Tells the journal what keeps this host from taking part in its fleet, and when that is over.
class TroubleLog {
  public:
    /// `policy` and `log` must outlive it.
    TroubleLog(const TunnelPolicy& policy, EventLog& log) : policy_(policy), log_(log) {}

    /// Notes all troubles of a round.
    void note(std::vector<std::string> troubles) {
        const Problems::News news = problems_.note(std::move(troubles));
        for (const std::string& text : news.began) {
            tell(EventKind::finding_began, Priority::warning,
                 fmt::format("This host cannot fully take part in the rotations of {}: {}",
                             policy_.name, text));
        }
        for (const std::string& text : news.ended) {
            tell(EventKind::finding_ended, Priority::notice,
                 fmt::format("This no longer keeps this host from the rotations of {}: {}",
                             policy_.name, text));
        }
    }

  private:
    void tell(EventKind kind, Priority priority, std::string message) {
        log_.record({kind, priority, std::move(message), policy_.name, policy_.tunnel});
    }

    const TunnelPolicy& policy_;
    EventLog& log_;
    Problems problems_;
};

}  // namespace keyturn
