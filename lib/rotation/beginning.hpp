#pragma once

#include "rotation/chapter.hpp"

namespace keyturn {

/// What the record has left open, and which chapter settles it. A crash needs no code of its own:
/// this is where every rotation begins.
class Beginning : public Chapter {
  public:
    explicit Beginning(RotationContext& context) : Chapter(context) {}

    Script<Ending> tell();

  private:
    Script<> settle_retry();
    [[nodiscard]] ChapterName first_chapter() const;
};

}  // namespace keyturn
