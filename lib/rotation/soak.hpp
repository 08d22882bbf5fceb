#pragma once

#include "rotation/chapter.hpp"
#include "rotation/health_watch.hpp"

#include <cstddef>
#include <optional>

namespace keyturn {

class Proof;
class TokenWatch;
class UnitRestart;

/// The wait between two batches, in which all units are watched. Ends held if a restarted unit
/// fails, or with `start_over` if the token has changed.
class Soak : public Chapter {
  public:
    Soak(RotationContext& context, TokenWatch& token, Proof& proof, UnitRestart& restart)
        : Chapter(context), token_(token), proof_(proof), restart_(restart) {}

    /// Soaks until the time has passed undisturbed. A unit that decays meanwhile is restarted in
    /// between. There is no soak in a revert, whose token is known to be good, nor in a compromise,
    /// which has no time for it.
    Script<> soak_out();

    /// Checks every unit until `duration` has passed without a disturbance, or `at_least` if
    /// everything is back by then. Returns early with a unit that must restart next.
    Script<std::optional<std::size_t>> watch(Milliseconds duration, Milliseconds at_least);

  private:
    Script<std::optional<std::size_t>> soak();
    Script<bool> all_is_back(SampleUnits::Value samples);
    void tell(const HealthFinding& finding);
    void tell_promotion(const HealthFinding::Promotion& promoted);
    void tell_new_soak();

    TokenWatch& token_;
    Proof& proof_;
    UnitRestart& restart_;
    Milliseconds healthy_for_{0};  ///< The duration of the last watch.
};

}  // namespace keyturn
