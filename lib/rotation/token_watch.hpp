#pragma once

#include "rotation/chapter.hpp"

namespace keyturn {

class TokenHandover;

/// Whether the delivered token is still the one that the API holds; and where it is not, the way to
/// the one of now: delivered and confirmed, with the roll-out to be begun anew. The caller ends its
/// chapter with `start_over` then.
class TokenWatch : public Chapter {
  public:
    TokenWatch(RotationContext& context, TokenHandover& handover)
        : Chapter(context), handover_(handover) {}

    /// The API has just shown it: the next `still_ours` need not ask again.
    void note_confirmed() { just_confirmed_ = was_ours_ = true; }

    /// Before each batch. Insists on an answer.
    Script<bool> still_ours();

    /// For a unit that does not come right: maybe nothing is wrong with it, and its token is dead;
    /// then true. An API that does not answer says nothing.
    Script<bool> follow_if_changed();

    /// After a crash, as a chapter of its own: delivers again, and ends with `window`.
    Script<Ending> resume();

    /// What is delivered again is certainly what the API holds.
    Script<> deliver_again();

  private:
    Script<> follow();

    TokenHandover& handover_;
    bool just_confirmed_ = false;
    bool was_ours_ = false;  ///< As far as this keyturnd has seen.
};

}  // namespace keyturn
