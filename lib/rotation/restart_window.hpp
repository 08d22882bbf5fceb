#pragma once

#include "rotation/chapter.hpp"

namespace keyturn {

class Capacity;
class TokenWatch;

/// `drift: {restart: window}`: after a take-over, the units serve on their existing connections
/// until their window opens. A unit that anyone starts meanwhile reads the new token. The wait ends
/// early if a unit can serve no longer. Ends with `roll_out`, or with `finish` if no restart is
/// needed.
class RestartWindow : public Chapter {
  public:
    RestartWindow(RotationContext& context, const Capacity& capacity, TokenWatch& token)
        : Chapter(context), capacity_(capacity), token_(token) {}

    Script<Ending> tell();

  private:
    Script<> await_window();
    [[nodiscard]] WallTime restarts_from() const;

    const Capacity& capacity_;
    TokenWatch& token_;
};

}  // namespace keyturn
