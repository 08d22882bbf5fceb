#pragma once

#include "journal/event_log.hpp"

#include <map>
#include <optional>
#include <string>

namespace keyturn {

class WaveGate;

/// The journal of a tunnel whose hosts restart one after the other. A restart is told when it is
/// made, not when it begins to wait for the other hosts. What this host expects is no alarm: to
/// wait for its turn, and a new token on a host that does not rotate.
class WaveLog final : public EventLog {
  public:
    /// Both must outlive it.
    WaveLog(EventLog& log, const WaveGate& gate) : log_(log), gate_(gate) {}

    void record(const Event& event) override;

    /// A unit waits for its turn, and why.
    void note_wait(const std::string& unit, const std::string& why) { waits_ = unit + ": " + why; }
    void forget_wait() { waits_.clear(); }

    /// The unit restarts now.
    void release(const std::string& unit);

  private:
    void tell_end_of_wait();

    EventLog& log_;
    const WaveGate& gate_;
    std::map<std::string, Event> restarts_;  ///< By unit.
    std::string waits_;                      ///< What waits for its turn, and why; empty: nothing.
    std::optional<Event> told_wait_;         ///< The journal says that this host waits for others.
    bool told_end_ = false;                  ///< And it says already that this is over.
};

}  // namespace keyturn
