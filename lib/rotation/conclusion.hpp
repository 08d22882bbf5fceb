#pragma once

#include "rotation/chapter.hpp"

#include <string>

namespace keyturn {

/// The end of the story: wipes the secrets and writes the history. Ends with `done`.
class Conclusion : public Chapter {
  public:
    explicit Conclusion(RotationContext& context) : Chapter(context) {}

    Script<Ending> conclude();

    /// Concludes a refusal, in which nothing was changed.
    Script<Ending> refuse(std::string text);

  private:
    [[nodiscard]] std::string closing_sentence() const;
    [[nodiscard]] std::string result_of_rotation() const;
    [[nodiscard]] std::string result_of_move() const;
    [[nodiscard]] Outcome outcome() const;
    Script<> write(HistoryEntry entry);
};

}  // namespace keyturn
