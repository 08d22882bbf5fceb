#pragma once

#include "policy/policy.hpp"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace keyturn {

/// One thing that is wrong with a policy file.
struct PolicyProblem {
    std::string file;
    int line = 0;    ///< From 1; 0 if the problem is the file as a whole.
    int column = 0;  ///< From 1.
    std::string
        text;  ///< What is wrong and what to do: "unknown key `soaks`; did you mean `soak`?"
    std::string source;  ///< The line itself, for the caret; empty if `line` is 0.

    bool operator==(const PolicyProblem&) const = default;
};

/// "FILE:LINE:COLUMN: TEXT", the line, and a caret under the place.
[[nodiscard]] std::string to_text(const PolicyProblem& problem);

/// A checked policy, or all the problems of its files at once.
using PolicyOutcome = std::variant<Policy, std::vector<PolicyProblem>>;

/// The text of a policy file and its name in messages.
struct PolicySource {
    std::string file;
    std::string text;
};

/// Parses and checks the text of a policy. `file` is only a name for messages. Pure.
[[nodiscard]] PolicyOutcome parse_policy(std::string_view text, const std::string& file);

/// Parses and checks a policy with its drop-ins. Each source overrides those before it: maps are
/// merged key by key, and everything else is replaced. `sources` must not be empty. Pure.
[[nodiscard]] PolicyOutcome parse_policy(const std::vector<PolicySource>& sources);

/// Reads and checks a policy file, such as /etc/keyturn/keyturn.yaml, and the drop-ins beside it,
/// /etc/keyturn/keyturn.d/*.yaml, in the order of their names. Refuses files and a directory that
/// group or others can write, because anyone who writes the policy decides which units restart.
[[nodiscard]] PolicyOutcome load_policy(const std::string& path);

/// The maximum number of drop-ins.
inline constexpr std::size_t drop_ins_max = 200;

}  // namespace keyturn
