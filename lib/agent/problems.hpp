#pragma once

#include <string>
#include <vector>

namespace keyturn {

/// Problems that come and go. Some disappear without help, such as a unit that is starting, so one
/// has begun only when two checks in a row have found it.
class Problems {
  public:
    struct News {
        std::vector<std::string> began;
        std::vector<std::string> ended;
        bool suspected = false;  ///< One is found for the first time: the next check shows more.
    };

    /// Takes everything that a check has found.
    [[nodiscard]] News note(std::vector<std::string> found);

    /// All that the last check has found, also what has not begun yet.
    [[nodiscard]] std::vector<std::string> texts() const;

  private:
    struct Problem {
        std::string text;
        bool told = false;
    };

    std::vector<Problem> problems_;
};

}  // namespace keyturn
