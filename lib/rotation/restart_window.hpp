#pragma once

#include "rotation/chapter.hpp"

namespace keyturn {

class Capacity;
class TokenWatch;

/// `drift: {restart: window}`: after a take-over the units serve on the connections that they have
/// until their window opens, and whoever starts one brings it onto the new token. No longer than
/// all of them can. Ends with `roll_out`; with `finish` where nothing is to be restarted.
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
