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

/// What the chapters of one rotation share. What only one chapter needs is not in here.
struct RotationContext {
    RotationInputs inputs;
    RotationRecord record;
    RotationView view;
    BootTime now;
    WallTime wall_now;
    std::vector<Event> events;

    std::size_t waits = 0;        ///< How often the rotation had to wait for anything.
    bool waits_for_more = false;  ///< No answer alone ends the wait; see `Chapter::wait_for`.
    bool revert_wanted = false;   ///< By an operator; not carried out yet.
    std::string failed_unit;      ///< The unit of ours that caused the revert.

    std::vector<ProvenConnector> proven;   ///< What units reported about themselves recently.
    std::vector<Connector> strangers;      ///< After a compromise: connected, not known to be ours.
    std::optional<BootTime> outage_began;  ///< Ours were dropped too, and none has come back yet.

    // The action asked of the world, its answer, and the coroutine that the answer resumes.
    std::optional<Action> action;
    std::optional<Answer> answer;
    std::coroutine_handle<> asker;

    // How the current chapter was ended from inside, and the coroutine that this resumes.
    std::optional<Ending> ending;
    std::coroutine_handle<> reader;
};

}  // namespace keyturn
