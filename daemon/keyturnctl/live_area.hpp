#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace keyturn {

/// The last lines of a terminal, redrawn in place. Returns the escape sequences as text.
class LiveArea {
  public:
    /// Removes the old block, prints `lines`, which stay, and draws `block` below them. Lines of
    /// the block must fit the terminal, because a wrapped line would be counted as one.
    [[nodiscard]] std::string redraw(const std::vector<std::string>& lines,
                                     const std::vector<std::string>& block);

  private:
    std::size_t drawn_lines_ = 0;
};

}  // namespace keyturn
