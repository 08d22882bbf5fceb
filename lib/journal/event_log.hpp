#pragma once

#include "journal/event.hpp"

#include <memory>

namespace keyturn {

/// Where events go.
class EventLog {
  public:
    virtual ~EventLog() = default;

    /// Never fails for the caller: an event that cannot be written is not worth a hold.
    virtual void record(const Event& event) = 0;
};

/// The journal, one structured entry an event; plain lines on stderr where there is no journald.
[[nodiscard]] std::unique_ptr<EventLog> make_journal();

}  // namespace keyturn
