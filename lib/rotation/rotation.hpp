#pragma once

#include "journal/event.hpp"
#include "rotation/action.hpp"
#include "rotation/inputs.hpp"
#include "rotation/record.hpp"
#include "rotation/view.hpp"
#include "time/moment.hpp"

#include <memory>
#include <vector>

namespace keyturn {

struct RotationContext;
class Story;

/// The heart: one rotation of one tunnel, from preflight to done. It only decides: `action()` is
/// what it wants done now, and `answer()` gives it the result. It has no secret, no socket and no
/// clock, so a test or a simulation can be the world around it.
///
/// It never throws and never gives up. It waits while an error is temporary. Any other error ends
/// in a refusal (nothing was changed) or in a hold, which `keyturnctl retry` turns into a new
/// `Rotation` on the same record. Destroying it at any moment is the same as a crash, and is safe.
class Rotation {
  public:
    Rotation(RotationInputs inputs, BootTime now, WallTime wall_now);
    ~Rotation();
    Rotation(const Rotation&) = delete;
    Rotation& operator=(const Rotation&) = delete;

    /// What to do now. Only if not `ended()`.
    [[nodiscard]] const Action& action() const;

    /// Takes the result of `action()`, which must be of the matching type.
    void answer(Answer answer, BootTime now, WallTime wall_now);

    /// An operator pauses or resumes it. This takes effect at the next step; a restart under way is
    /// first finished and verified.
    void set_paused(bool paused);

    /// True if the old token can be brought back.
    [[nodiscard]] bool can_revert() const;

    /// An operator wants to revert. This takes effect at the next wait. Only if `can_revert()`.
    void ask_to_revert();

    /// True if it is done or refused. A hold is not an end; the rotation keeps watching the units.
    [[nodiscard]] bool ended() const;

    [[nodiscard]] const RotationView& view() const;
    [[nodiscard]] const RotationRecord& record() const;

    /// The events since the last call, oldest first.
    [[nodiscard]] std::vector<Event> take_events();

  private:
    std::unique_ptr<RotationContext> context_;
    std::unique_ptr<Story> story_;
};

}  // namespace keyturn
