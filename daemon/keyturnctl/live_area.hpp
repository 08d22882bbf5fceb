#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace keyturn {

/// The last lines of a terminal, redrawn in place: what the cursor has to do, as text.
class LiveArea {
  public:
    /// Takes the old block away, prints `lines`, which stay, and draws `block` below them. Lines of
    /// the block must fit the terminal: a line that wraps cannot be counted.
    [[nodiscard]] std::string redraw(const std::vector<std::string>& lines,
                                     const std::vector<std::string>& block);

  private:
    std::size_t drawn_lines_ = 0;
};

}  // namespace keyturn
