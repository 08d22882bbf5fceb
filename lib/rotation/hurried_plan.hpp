#pragma once

#include "rotation/chapter.hpp"

#include <optional>

namespace keyturn {

class Preparation;
struct PreflightFacts;

/// Decides which units a compromise restarts. It refuses no unit because of its state. If systemd
/// does not answer, the secret is replaced first and the plan is made later.
class HurriedPlan : public Chapter {
  public:
    HurriedPlan(RotationContext& context, Preparation& preparation)
        : Chapter(context), preparation_(preparation), known_(!context.record.units.empty()) {}

    /// Returns without a plan if systemd does not answer soon. Ends refused if `units:` names no
    /// connector of this tunnel.
    Script<> make();

    /// Tries once more if systemd did not answer before.
    Script<> make_late();

    /// Waits until there is a plan, because nothing can be restarted without one.
    Script<> insist_on_it();

    /// Follows a corrected `units:`: exactly the units named now belong to the plan.
    Script<> take_in_new_units();

    [[nodiscard]] bool known() const { return known_; }

  private:
    Script<std::optional<PreflightFacts>> gather_facts(int tries);

    Preparation& preparation_;
    bool known_;  ///< The units are known.
};

}  // namespace keyturn
