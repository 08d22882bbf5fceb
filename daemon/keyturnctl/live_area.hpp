#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace keyturn {

/// The last lines of a terminal, redrawn in place. Returns the escape sequences as text.
class LiveArea {
  public:
    /// Removes the old block, prints `lines`, which stay, and draws `block` below them. Returns
    /// nothing if nothing has changed. Lines of the block must fit `columns`, the current width.
    [[nodiscard]] std::string redraw(const std::vector<std::string>& lines,
                                     const std::vector<std::string>& block, std::size_t columns);

  private:
    [[nodiscard]] std::size_t rows_drawn(std::size_t columns) const;

    std::vector<std::string> drawn_;
    std::size_t columns_ = 0;
};

/// Cuts a block that is higher than the terminal: a line that has scrolled away cannot be redrawn.
/// The last line then says how many are missing. 0 rows: no limit.
[[nodiscard]] std::vector<std::string> fitted_rows(std::vector<std::string> block,
                                                   std::size_t rows);

}  // namespace keyturn
