#pragma once

#include "rotation/chapter.hpp"

#include <string>

namespace keyturn {

/// Takes over somebody else's token. Their secret is the truth, and the one we have is dead. This
/// keeps, stages and records their token; the caller delivers it.
class ForeignToken : public Chapter {
  public:
    explicit ForeignToken(RotationContext& context) : Chapter(context) {}

    /// Ends held if a person has to find out who changes the secret, and why. Returns without a
    /// change if the delivered token is back by then. `kept` means that the token was allowed and
    /// kept earlier, but a crash came before the record was saved.
    Script<> take_over(std::string foreign_fingerprint, bool kept = false);

  private:
    Script<> allow(std::string foreign_fingerprint);
};

}  // namespace keyturn
