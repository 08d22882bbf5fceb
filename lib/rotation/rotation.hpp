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

/// The heart: one rotation of one tunnel, from preflight to done. It decides and does nothing else:
/// `action()` is what it wants done now, `answer()` tells it what came of that. It holds no secret,
/// no socket and no clock, so that a test or a simulation can be the world around it.
///
/// It never throws and never gives up: what passes by itself is waited for, what does not ends in a
/// refusal (nothing touched) or in a hold, which `keyturnctl retry` turns into a new `Rotation` on
/// the same record. Being destroyed at any moment is the same as a crash, and is safe.
class Rotation {
  public:
    Rotation(RotationInputs inputs, BootTime now, WallTime wall_now);
    ~Rotation();
    Rotation(const Rotation&) = delete;
    Rotation& operator=(const Rotation&) = delete;

    /// What to do now. Only while not `ended()`.
    [[nodiscard]] const Action& action() const;

    /// What came of `action()`; must be the answer to an action of that type.
    void answer(Answer answer, BootTime now, WallTime wall_now);

    /// An operator's word; obeyed at the next step, a restart under way is ended and proven first.
    void set_paused(bool paused);

    /// Whether the token from before can be brought back.
    [[nodiscard]] bool can_revert() const;

    /// An operator wants that; obeyed at the next wait. Only where `can_revert()`.
    void ask_to_revert();

    /// Done or refused: there is nothing more to do. A hold is not an end; it goes on watching.
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
