#pragma once

#include "rotation/chapter.hpp"

#include <optional>

namespace keyturn {

class Preparation;
struct PreflightFacts;

/// Which units a compromise restarts. Nothing is refused for the state they are in, and where
/// systemd does not answer the secret is replaced first and the plan is made later.
class HurriedPlan : public Chapter {
  public:
    HurriedPlan(RotationContext& context, Preparation& preparation)
        : Chapter(context), preparation_(preparation), known_(!context.record.units.empty()) {}

    /// Comes back without a plan where systemd does not answer soon. Ends refused where `units:`
    /// names no connector of this tunnel.
    Script<> make();

    /// One look, where systemd did not answer before.
    Script<> make_late();

    /// Nothing can be restarted before that.
    Script<> insist_on_it();

    /// `units:` may have been corrected since: whoever is named now belongs to it, and nobody else.
    Script<> take_in_new_units();

    [[nodiscard]] bool known() const { return known_; }

  private:
    Script<std::optional<PreflightFacts>> gather_facts(int tries);

    Preparation& preparation_;
    bool known_;  ///< Which units there are.
};

}  // namespace keyturn
