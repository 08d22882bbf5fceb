#pragma once

#include "rotation/chapter.hpp"

namespace keyturn {

class TokenHandover;
class TokenWatch;

/// Gives up the new token and brings back the old one. It uses the means of a rotation, with the
/// two kept tokens swapped. Where units only moved onto the token file or off it, root has already
/// put their settings back, and the units that were restarted restart once more. Ends with
/// `window`, also if somebody else's token was taken over on the way; held if Cloudflare accepts
/// the old secret and keeps showing the new token.
class Revert : public Chapter {
  public:
    Revert(RotationContext& context, TokenHandover& handover, TokenWatch& token)
        : Chapter(context), handover_(handover), token_(token) {}

    /// `cause` counts only if the record is not already reverting.
    Script<Ending> tell(Ending cause);

  private:
    Script<> begin(Ending cause);
    void swap_tokens();
    void plan_to_move_back();
    Script<> take_back();
    Script<> move_back();
    void spare_untouched(const SampleUnits::Value& samples);
    void spare_unmoved(const SampleUnits::Value& samples);
    void start_left_dead(UnitProgress& unit, const SampleUnits::Sample& sample) const;

    TokenHandover& handover_;
    TokenWatch& token_;
};

/// True if the rotation may revert: only once, never from somebody else's token, and never to a
/// compromised one. Nor to a retired secret that somebody restored right before this rotation
/// began.
[[nodiscard]] bool can_revert(const RotationInputs& inputs, const RotationRecord& record);

}  // namespace keyturn
