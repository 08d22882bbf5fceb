#pragma once

#include "journal/event.hpp"
#include "rotation/action.hpp"
#include "rotation/attached.hpp"
#include "rotation/ending.hpp"
#include "rotation/inputs.hpp"
#include "rotation/record.hpp"
#include "rotation/view.hpp"
#include "time/moment.hpp"

#include <coroutine>
#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// What the chapters of one rotation share, and nothing that only one of them needs.
struct RotationContext {
    RotationInputs inputs;
    RotationRecord record;
    RotationView view;
    BootTime now;
    WallTime wall_now;
    std::vector<Event> events;

    std::size_t waits = 0;        ///< How often anything had to be waited for.
    bool waits_for_more = false;  ///< Than an answer: for replicas, a window, a view.
    bool revert_wanted = false;   ///< By an operator, who has not been obeyed yet.
    std::string failed_unit;      ///< Of ours, because of which it goes back.

    std::vector<ProvenConnector> proven;   ///< What units told of themselves lately.
    std::vector<Connector> strangers;      ///< After a compromise: attached, and not surely ours.
    std::optional<BootTime> outage_began;  ///< Ours were dropped, too, and none is back yet.

    // What is asked of the world, what it answered, and whom that wakes.
    std::optional<Action> action;
    std::optional<Answer> answer;
    std::coroutine_handle<> asker;

    // How the chapter under way was ended from inside, and whom that wakes.
    std::optional<Ending> ending;
    std::coroutine_handle<> reader;
};

}  // namespace keyturn
