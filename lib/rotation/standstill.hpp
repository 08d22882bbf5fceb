#pragma once

#include "rotation/chapter.hpp"

namespace keyturn {

/// Nothing happens until a person has spoken: a hold, or a pause. Units on the old token decay
/// meanwhile, so they are looked at; that too few serve is alarmed once each time it begins.
class Standstill : public Chapter {
  public:
    explicit Standstill(RotationContext& context) : Chapter(context) {}

    /// Tells of the hold and waits for good: of the one that the record has brought along, or of a
    /// new one, which is made durable first. A retry is a new rotation from the record; only an
    /// operator's revert ends this, with `go_back`.
    Script<Ending> hold(Ending cause);

    /// Returns when an operator resumes the rotation.
    Script<> pause();

  private:
    Script<> begin(Ending cause);
    void tell_hold();
    Script<> watch();
    Script<> look();

    bool durable_ = true;  ///< The hold is on disk.
    bool urgent_ = false;  ///< Fewer serve than have to.
};

}  // namespace keyturn
