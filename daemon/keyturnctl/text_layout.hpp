#pragma once

#include "time/moment.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// `text` without anything that moves a cursor or is not seen: such characters become "?". What the
/// daemon tells may have been typed by somebody else, and it is shown on a terminal of root.
[[nodiscard]] std::string printable(std::string_view text);

/// Columns on a terminal: one a character. Expects printable text.
[[nodiscard]] std::size_t columns_of(std::string_view text);

/// `text` filled with spaces up to `columns`; longer text stays as it is.
[[nodiscard]] std::string padded(std::string_view text, std::size_t columns);

/// `text` in at most `columns`, with "..." where it was cut.
[[nodiscard]] std::string fitted(std::string_view text, std::size_t columns);

/// Words in lines of at most `columns`, each line with `indent` spaces in front. Line breaks in the
/// text are kept; a word that is too long has a line of its own, and so has a command in backticks.
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

/// While it lives, moments are shown as in the time zone of that IANA name; in that of who looks
/// where it is empty.
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

/// "03:00:12" and "2026-03-01 03:00 CET", in the time zone of who looks, or in that of `InZone`.
[[nodiscard]] std::string clock_text(WallTime moment);
[[nodiscard]] std::string date_text(WallTime moment);

}  // namespace keyturn
