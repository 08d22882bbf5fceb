#pragma once

#include "rotation/chapter.hpp"

namespace keyturn {

class Soak;
class Surge;
class TokenWatch;
class UnitRestart;

/// Restarts the units one by one, batch by batch. Each unit is verified before the next, and each
/// batch soaks. After a crash it begins with the batch that was open, skips verified units, and
/// starts that batch's soak over. Ends with `finish`; with `start_over` if the token has changed;
/// held if a unit cannot be restarted, or fails after its restart.
class RollOut : public Chapter {
  public:
    RollOut(RotationContext& context, TokenWatch& token, UnitRestart& restart, Soak& soak,
            Surge& surge)
        : Chapter(context), token_(token), restart_(restart), soak_(soak), surge_(surge) {}

    Script<Ending> tell();

  private:
    Script<> roll_batches();
    void note_processes(const SampleUnits::Value& samples);
    void tell_batch();
    Script<> roll_what_was_begun();
    [[nodiscard]] int first_open_batch() const;
    Script<> plan_started_units(int batch);

    TokenWatch& token_;
    UnitRestart& restart_;
    Soak& soak_;
    Surge& surge_;
};

}  // namespace keyturn
