#pragma once

#include <cstdint>
#include <string_view>

namespace keyturn {

/// Prints the sentence and the place to stderr (the journal) and aborts. For a daemon that has lost
/// track of its own state, stopping is safest: the state on disk is whole, the connectors keep
/// serving, and the next start resumes from the last durable phase.
[[noreturn]] void invariant_failed(std::string_view sentence, const char* file,
                                   std::uint_least32_t line);

/// States what must be true of our own code, in release builds too. Never use it for what an
/// operator, the network or the disk can cause: that is a `Result`.
inline void invariant(bool holds, std::string_view sentence, const char* file = __builtin_FILE(),
                      std::uint_least32_t line = __builtin_LINE()) {
    if (!holds) invariant_failed(sentence, file, line);
}

}  // namespace keyturn
