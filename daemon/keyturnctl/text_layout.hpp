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
/// breaks in the text. A word that is too long gets its own line, and so does a command.
[[nodiscard]] std::vector<std::string> wrapped(std::string_view text, std::size_t columns,
                                               std::size_t indent);

/// Wraps one line into lines of at most `columns`; all but the first have `indent` spaces in front.
/// A word that is too long stays whole, and so does a command. Expects printable text.
[[nodiscard]] std::vector<std::string> hanging(std::string_view line, std::size_t columns,
                                               std::size_t indent);

/// Wraps each line of `text` into lines of at most `columns`, like `hanging`, but all begin in the
/// same column. Keeps line breaks in the text, and lines that fit.
[[nodiscard]] std::string wrapped_text(std::string_view text, std::size_t columns);

/// The size and the colours of the output.
struct TerminalStyle {
    std::size_t columns = 80;
    bool colour = false;
    std::size_t rows = 0;  ///< 0: there is no limit, or it is unknown.
};

enum class TextStyle { plain, strong, good, busy, warning, bad, faint };

/// Colours, or none. The colours are readable on dark and on light backgrounds: no yellow, no
/// white, no bright ones. No meaning is in a colour alone.
class Paint {
  public:
    explicit Paint(bool colour) : colour_(colour) {}
    [[nodiscard]] std::string operator()(TextStyle text_style, std::string_view text) const;

  private:
    bool colour_;
};

/// Returns painted text as it was before `Paint`.
[[nodiscard]] std::string without_colour(std::string_view text);

/// The style of a tunnel's state, or of a unit's step or health.
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
