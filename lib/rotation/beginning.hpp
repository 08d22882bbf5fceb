#pragma once

#include "rotation/chapter.hpp"

namespace keyturn {

/// Finds out what the record has left open and which chapter continues it. There is no special code
/// for a crash: every rotation begins here.
class Beginning : public Chapter {
  public:
    explicit Beginning(RotationContext& context) : Chapter(context) {}

    Script<Ending> tell();

  private:
    Script<> settle_retry();
    [[nodiscard]] ChapterName first_chapter() const;
};

}  // namespace keyturn
