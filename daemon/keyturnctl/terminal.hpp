#pragma once

#include "live_area.hpp"
#include "text_layout.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

namespace keyturn {

/// Where stdout goes.
class Terminal {
  public:
    Terminal();

    /// True for a terminal, false for a pipe or a file.
    [[nodiscard]] bool interactive() const { return interactive_; }

    /// Asks the terminal each time, because its window may change its size.
    [[nodiscard]] TerminalStyle style() const;

    /// Prints `lines`. On a terminal, wraps them and also prints the block, which the next call
    /// replaces.
    void show(const std::vector<std::string>& lines, const std::vector<std::string>& block);

  private:
    bool interactive_;
    bool colour_;
    LiveArea live_area_;
};

/// Writes all of `text` to stdout at once.
void print(const std::string& text);

/// Prints text to the operator. On a terminal, its long lines are wrapped between words; elsewhere
/// they stay whole.
void say_text(const std::string& text, std::FILE* stream = stdout);

template <class... Values>
void say(fmt::format_string<Values...> format, Values&&... values) {
    say_text(fmt::format(format, std::forward<Values>(values)...));
}

}  // namespace keyturn
