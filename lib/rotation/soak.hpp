#pragma once

#include "rotation/chapter.hpp"
#include "rotation/health_watch.hpp"

#include <cstddef>
#include <optional>

namespace keyturn {

class Proof;
class TokenWatch;
class UnitRestart;

/// Between two batches nothing happens, and that is watched. Ends held where a restarted unit
/// fails, with `start_over` where the token changed underneath.
class Soak : public Chapter {
  public:
    Soak(RotationContext& context, TokenWatch& token, Proof& proof, UnitRestart& restart)
        : Chapter(context), token_(token), proof_(proof), restart_(restart) {}

    /// Soaks until it has passed undisturbed; a unit that decays meanwhile is restarted in between.
    /// The way back is known to be good and a compromise has no time: neither is watched.
    Script<> soak_out();

    /// Looks at every unit until `duration` has passed without a disturbance, or `at_least`, if all
    /// is back by then. Returns early with a unit that has to go next.
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
    Milliseconds healthy_for_{0};  ///< How long the last watch was.
};

}  // namespace keyturn
