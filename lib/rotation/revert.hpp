#pragma once

#include "rotation/chapter.hpp"

namespace keyturn {

class TokenHandover;
class TokenWatch;

/// Gives up the new token and brings back the old one. It uses the means of a rotation, with the
/// two kept tokens swapped. Ends with `window`.
class Revert : public Chapter {
  public:
    Revert(RotationContext& context, TokenHandover& handover, TokenWatch& token)
        : Chapter(context), handover_(handover), token_(token) {}

    /// `cause` counts only if the record is not already reverting.
    Script<Ending> tell(Ending cause);

  private:
    Script<> begin(Ending cause);
    Script<> take_back();
    void spare_untouched(const SampleUnits::Value& samples);

    TokenHandover& handover_;
    TokenWatch& token_;
};

/// True if the rotation may revert: only once, only from a token that we made, and never to a
/// compromised one. Nor to a retired secret that somebody restored right before this rotation
/// began.
[[nodiscard]] bool can_revert(const RotationInputs& inputs, const RotationRecord& record);

}  // namespace keyturn
