#pragma once

#include "rotation/chapter.hpp"

#include <string>

namespace keyturn {

/// Somebody else changed the tunnel's secret. Theirs is the truth; what we hold is dead. Their
/// token is kept, staged and recorded here; who calls this delivers it.
class Adoption : public Chapter {
  public:
    explicit Adoption(RotationContext& context) : Chapter(context) {}

    /// Ends held if a person has to look at who changes the secret, and why. Comes back without a
    /// change where the delivered token is back meanwhile. `kept`: it was allowed and kept already,
    /// and a crash came before the record knew of it.
    Script<> adopt(std::string foreign_fingerprint, bool kept = false);

  private:
    Script<> allow(std::string foreign_fingerprint);
};

}  // namespace keyturn
