#pragma once

#include "rotation/chapter.hpp"

namespace keyturn {

class Commit;
class Eviction;
class HurriedPlan;
class Preparation;
class TokenHandover;
class TokenWatch;

/// Handles a compromised token. It makes a new secret at once, whatever else is going on, drops all
/// other connectors, and then restarts our own units without waiting between them. Ends with
/// `window` if units still have to be restarted, otherwise with `finish`. Ends refused only if
/// `units:` names no connector of this tunnel, and held if somebody keeps setting another secret.
class Compromise : public Chapter {
  public:
    Compromise(RotationContext& context, HurriedPlan& plan, Preparation& preparation,
               Commit& commit, Eviction& eviction, TokenHandover& handover, TokenWatch& token)
        : Chapter(context),
          plan_(plan),
          preparation_(preparation),
          commit_(commit),
          eviction_(eviction),
          handover_(handover),
          token_(token) {}

    Script<Ending> tell();

  private:
    Script<> restart_dropped();

    HurriedPlan& plan_;
    Preparation& preparation_;
    Commit& commit_;
    Eviction& eviction_;
    TokenHandover& handover_;
    TokenWatch& token_;
};

}  // namespace keyturn
