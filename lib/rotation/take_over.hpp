#pragma once

#include "rotation/chapter.hpp"

namespace keyturn {

class Adoption;
class Preparation;
class TokenHandover;
class TokenWatch;

/// A stranger's change of the secret was found out while no rotation was open: every unit runs on a
/// token that opens no new connection. What is restarted is decided by the same rules as in a
/// rotation; no secret is sent. Ends with `window`; refused where the delivered token is back.
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
