#pragma once

#include "rotation/chapter.hpp"

namespace keyturn {

class ForeignToken;
class Preparation;
class TokenHandover;
class TokenWatch;

/// Somebody else changed the secret while no rotation was open, so every unit runs on a token that
/// opens no new connection. The rules for restarts are the same as in a rotation, but no secret is
/// sent. Ends with `window`; refused if the delivered token is back; held if a person has to find
/// out who changes the secret.
class TakeOver : public Chapter {
  public:
    TakeOver(RotationContext& context, Preparation& preparation, ForeignToken& foreign,
             TokenHandover& handover, TokenWatch& token)
        : Chapter(context),
          preparation_(preparation),
          foreign_(foreign),
          handover_(handover),
          token_(token) {}

    Script<Ending> tell();

  private:
    Script<> plan_without_judging();

    Preparation& preparation_;
    ForeignToken& foreign_;
    TokenHandover& handover_;
    TokenWatch& token_;
};

}  // namespace keyturn
