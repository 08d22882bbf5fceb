#pragma once

#include "rotation/chapter.hpp"

#include <string>

namespace keyturn {

/// The end of the story: the secrets are wiped, the history is written. Ends done.
class Conclusion : public Chapter {
  public:
    explicit Conclusion(RotationContext& context) : Chapter(context) {}

    Script<Ending> conclude();

    /// Nothing was touched.
    Script<Ending> refuse(std::string text);

  private:
    [[nodiscard]] std::string closing_sentence() const;
    [[nodiscard]] HistoryEntry history_entry(const std::string& text) const;
};

}  // namespace keyturn
