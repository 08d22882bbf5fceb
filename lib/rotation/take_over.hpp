#pragma once

#include "rotation/chapter.hpp"

namespace keyturn {

class Adoption;
class Preparation;
class TokenHandover;
class TokenWatch;

/// Somebody else changed the secret while no rotation was open, so every unit runs on a token that
/// opens no new connection. The rules for restarts are the same as in a rotation, but no secret is
/// sent. Ends with `window`, or refused if the delivered token is back.
class TakeOver : public Chapter {
  public:
    TakeOver(RotationContext& context, Preparation& preparation, Adoption& adoption,
             TokenHandover& handover, TokenWatch& token)
        : Chapter(context),
          preparation_(preparation),
          adoption_(adoption),
          handover_(handover),
          token_(token) {}

    Script<Ending> tell();

  private:
    Script<> plan_without_judging();

    Preparation& preparation_;
    Adoption& adoption_;
    TokenHandover& handover_;
    TokenWatch& token_;
};

}  // namespace keyturn
