#pragma once

#include "base/secret.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// A text without secrets.
struct Redacted {
    std::string text;
    std::size_t count = 0;  ///< How many pieces were replaced by "[redacted]".
};

/// Makes texts of a host fit to be shown to strangers. It takes away what it was told to, anything
/// that could be a credential (as `safe_text`), and user names and passwords in URLs. What is left
/// is printable ASCII. Names of hosts, units and files stay, and so do ids.
class Redactor {
  public:
    /// Takes away every long word of `text` from now on, wherever it occurs, but for names and
    /// ids. If it is a tunnel token: also the secret in it.
    void know(std::string_view text);

    /// Any text, such as a report.
    [[nodiscard]] Redacted prose(std::string_view text) const;

    /// A file with settings: also takes away the values of keys that say password or secret.
    [[nodiscard]] Redacted settings(std::string_view text) const;

    /// Unit files: also what follows --token, and the values of environment variables.
    [[nodiscard]] Redacted unit(std::string_view text) const;

    /// JSON, one document in each line, or one in all. Replaces lists of bytes, too: in them, the
    /// journal hides texts that are not UTF-8. What is no JSON is taken for prose.
    [[nodiscard]] Redacted json(std::string_view text) const;

  private:
    [[nodiscard]] std::string without_known(std::string_view line) const;
    [[nodiscard]] std::string safe_line(std::string_view line) const;

    std::vector<Secret> known_;
};

/// What stands for a piece that was taken away.
inline constexpr std::string_view redaction_mark = "[redacted]";

}  // namespace keyturn
