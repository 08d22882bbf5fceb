#pragma once

#include "rotation/chapter.hpp"

#include <cstddef>

namespace keyturn {

class Capacity;
class UnitRestart;

/// The extra connector has helped out, and is not needed any more. `UnitRestart` starts it.
class Surge : public Chapter {
  public:
    Surge(RotationContext& context, const Capacity& capacity, UnitRestart& restart)
        : Chapter(context), capacity_(capacity), restart_(restart) {}

    /// Once every unit has been restarted and proven. Whether it was started by us is not asked:
    /// where the token changed meanwhile it may be left from before that. Ends held where it cannot
    /// be stopped, or too few others serve for that.
    Script<> stop();

  private:
    Script<> stop_unit(std::size_t index);

    const Capacity& capacity_;
    UnitRestart& restart_;
};

}  // namespace keyturn
