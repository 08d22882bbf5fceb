#pragma once

#include "rotation/chapter.hpp"

#include <string>

namespace keyturn {

class TokenHandover;
class TokenWatch;

/// The new token is given up, and the one from before is brought back. What was made for a rotation
/// serves for this, too: the two kept tokens only change places. Ends with `window`.
class Revert : public Chapter {
  public:
    Revert(RotationContext& context, TokenHandover& handover, TokenWatch& token)
        : Chapter(context), handover_(handover), token_(token) {}

    /// What it goes back because of counts only where the record does not go back already.
    Script<Ending> tell(Ending cause);

  private:
    Script<> begin(Ending cause);
    Script<> take_back();
    void spare_untouched(const SampleUnits::Value& samples);

    TokenHandover& handover_;
    TokenWatch& token_;
};

/// Once, and only from a token of our own making; never to one that is in wrong hands. Somebody may
/// have put back a secret that was rotated away, right before this rotation began: not to that one.
[[nodiscard]] bool can_revert(const RotationInputs& inputs, const RotationRecord& record);

}  // namespace keyturn
