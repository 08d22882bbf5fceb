#pragma once

#include "rotation/chapter.hpp"

namespace keyturn {

/// A hold or a pause: nothing happens until a person decides. Units on the old token decay
/// meanwhile, so they are checked, and each time too few begin to serve, there is one alarm.
class Standstill : public Chapter {
  public:
    explicit Standstill(RotationContext& context) : Chapter(context) {}

    /// Reports the hold and never returns on its own. The hold is either in the record already, or
    /// a new one that is saved first. A retry is a new rotation from the record. Only an operator's
    /// revert ends this, with `go_back`.
    Script<Ending> hold(Ending cause);

    /// Returns when an operator resumes the rotation.
    Script<> pause();

  private:
    Script<> begin(Ending cause);
    void tell_hold();
    Script<> watch();
    Script<> look();

    bool durable_ = true;  ///< The hold is on disk.
    bool urgent_ = false;  ///< Fewer units serve than required.
};

}  // namespace keyturn
