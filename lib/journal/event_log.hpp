#pragma once

#include "journal/event.hpp"

#include <memory>

namespace keyturn {

/// The destination of events.
class EventLog {
  public:
    virtual ~EventLog() = default;

    /// Never fails: an event that cannot be written is no reason for a hold.
    virtual void record(const Event& event) = 0;
};

/// Writes each event as a structured entry of the journal, or as plain lines to stderr if there is
/// no journald.
[[nodiscard]] std::unique_ptr<EventLog> make_journal();

}  // namespace keyturn
