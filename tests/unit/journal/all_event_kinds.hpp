#pragma once

#include "journal/event.hpp"

#include <vector>

namespace keyturn {

/// Every kind, in the order of the enumeration.
inline std::vector<EventKind> all_event_kinds() {
    std::vector<EventKind> kinds;
    for (int i = 0; i <= static_cast<int>(EventKind::unit_revived); ++i) {
        kinds.push_back(static_cast<EventKind>(i));
    }
    return kinds;
}

}  // namespace keyturn
