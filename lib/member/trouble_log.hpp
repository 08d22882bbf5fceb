#pragma once

#include "agent/findings.hpp"
#include "journal/event_log.hpp"

#include <string>
#include <utility>
#include <vector>

namespace keyturn {

/// Tells the journal what keeps this host from taking part in its fleet. A trouble is told when two
/// rounds in a row have it, and again when it is over.
class TroubleLog {
  public:
    /// `policy` and `log` must outlive it.
    TroubleLog(const TunnelPolicy& policy, EventLog& log) : findings_(policy, words), log_(log) {}

    /// Notes all troubles of a round.
    void note(std::vector<std::string> troubles) {
        static_cast<void>(findings_.note_problems(std::move(troubles)));
        for (const Event& event : findings_.take_events()) log_.record(event);
    }

  private:
    static constexpr ProblemWords words{
        "This host cannot fully take part in the rotations of {}: {}",
        "This no longer keeps this host from the rotations of {}: {}"};

    Findings findings_;
    EventLog& log_;
};

}  // namespace keyturn
