#pragma once

#include "rotation/chapter.hpp"

namespace keyturn {

/// Finds out what the record has left open. There is no special code for a crash: every rotation
/// begins here. Ends with the chapter that continues the record: `hold` if it is held, refused if
/// its refusal is not concluded yet.
class Beginning : public Chapter {
  public:
    explicit Beginning(RotationContext& context) : Chapter(context) {}

    Script<Ending> tell();

  private:
    Script<> settle_retry();
    [[nodiscard]] ChapterName first_chapter() const;
};

}  // namespace keyturn
