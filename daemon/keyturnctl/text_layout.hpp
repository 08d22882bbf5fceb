#pragma once

#include "time/moment.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// Replaces control and invisible characters by "?". Other users may have typed some of the
/// daemon's text, and it is shown on root's terminal.
[[nodiscard]] std::string printable(std::string_view text);

/// The width in columns: one for each character. Expects printable text.
[[nodiscard]] std::size_t columns_of(std::string_view text);

/// Pads `text` with spaces to `columns`; longer text stays as it is.
[[nodiscard]] std::string padded(std::string_view text, std::size_t columns);

/// Cuts `text` to at most `columns`, with "..." at the cut.
[[nodiscard]] std::string fitted(std::string_view text, std::size_t columns);

/// Wraps text into lines of at most `columns`, each with `indent` spaces in front. Keeps line
/// breaks in the text. A word that is too long gets its own line, and so does a command in
/// backticks.
[[nodiscard]] std::vector<std::string> wrapped(std::string_view text, std::size_t columns,
                                               std::size_t indent);

enum class TextStyle { plain, good, busy, warning, bad, faint };

/// Colours, or none.
class Paint {
  public:
    explicit Paint(bool colour) : colour_(colour) {}
    [[nodiscard]] std::string operator()(TextStyle text_style, std::string_view text) const;

  private:
    bool colour_;
};

/// The style of a tunnel's state or a unit's step.
[[nodiscard]] TextStyle style_of(std::string_view word);

/// While this object lives, times are shown in the time zone with this IANA name, or in the user's
/// time zone if it is empty.
class InZone {
  public:
    explicit InZone(const std::string& name);
    ~InZone();
    InZone(const InZone&) = delete;
    InZone& operator=(const InZone&) = delete;

  private:
    std::optional<std::string> before_;
    bool changed_ = false;
};

/// "03:00:12" and "2026-03-01 03:00 CET", in the user's time zone or that of `InZone`.
[[nodiscard]] std::string clock_text(WallTime moment);
[[nodiscard]] std::string date_text(WallTime moment);

}  // namespace keyturn
