#pragma once

#include "journal/event_log.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace keyturn {

/// Keeps every event.
struct RecordingLog final : EventLog {
    void record(const Event& event) override { events.push_back(event); }

    [[nodiscard]] std::size_t count(EventKind kind) const {
        return static_cast<std::size_t>(std::ranges::count(events, kind, &Event::kind));
    }
    [[nodiscard]] bool told(EventKind kind) const { return count(kind) > 0; }
    /// The message of the last event of this kind; empty where none was told.
    [[nodiscard]] std::string message(EventKind kind) const {
        const auto found = std::find_if(events.rbegin(), events.rend(),
                                        [&](const Event& event) { return event.kind == kind; });
        return found == events.rend() ? "" : found->message;
    }

    std::vector<Event> events;
};

}  // namespace keyturn
