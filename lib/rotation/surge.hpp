#pragma once

#include "rotation/chapter.hpp"

#include <cstddef>

namespace keyturn {

class Capacity;
class UnitRestart;

/// Stops the extra connector when it is no longer needed. `UnitRestart` starts it.
class Surge : public Chapter {
  public:
    Surge(RotationContext& context, const Capacity& capacity, UnitRestart& restart)
        : Chapter(context), capacity_(capacity), restart_(restart) {}

    /// Called once every unit is restarted and verified. It does not matter whether this rotation
    /// started the extra connector: if the token changed, it may be left from before. Ends held if
    /// it cannot be stopped, or too few others serve for that.
    Script<> stop();

  private:
    Script<> stop_unit(std::size_t index);

    const Capacity& capacity_;
    UnitRestart& restart_;
};

}  // namespace keyturn
