#pragma once

#include "rotation/chapter.hpp"

namespace keyturn {

class TokenHandover;

/// Checks whether the delivered token is still the one that the API has. If not, it delivers and
/// confirms the current one, and the roll-out has to start over. The caller then ends its chapter
/// with `start_over`.
class TokenWatch : public Chapter {
  public:
    TokenWatch(RotationContext& context, TokenHandover& handover)
        : Chapter(context), handover_(handover) {}

    /// The API has just shown the token, so the next `still_ours` need not ask again.
    void note_confirmed() {
        just_confirmed_ = was_ours_ = true;
        asked_ = now_;
    }

    /// Called before each batch. Waits for an answer of the API. False if another token was
    /// delivered instead.
    Script<bool> still_ours();

    /// How long ago the API was last asked for the token.
    [[nodiscard]] Milliseconds age() const { return now_ - asked_; }

    /// For a unit that does not recover: perhaps only its token is dead, and then this returns
    /// true. An API that does not answer counts as false.
    Script<bool> follow_if_changed();

    /// Continues after a crash, as a separate chapter: delivers again, and ends with `window`.
    Script<Ending> resume();

    /// Delivers again only a token that the API certainly has.
    Script<> deliver_again();

  private:
    Script<> follow();

    TokenHandover& handover_;
    bool just_confirmed_ = false;
    bool was_ours_ = false;  ///< As far as this process has seen.
    BootTime asked_{};
};

}  // namespace keyturn
