#pragma once

#include <boost/assert/source_location.hpp>

#include <cstdint>
#include <string_view>

namespace keyturn {

/// Prints the sentence and the place to stderr (the journal) and aborts. A daemon that has lost
/// track of its own state does the safest thing by stopping: the state on disk is whole, the
/// connectors go on serving, and the next start resumes from the last durable phase.
[[noreturn]] void invariant_failed(std::string_view sentence, const char* file,
                                   std::uint_least32_t line);

/// States what has to be true of our own code, in release builds too. Never for what an operator,
/// the network or the disk can cause: that is a `Result`.
inline void invariant(bool holds, std::string_view sentence,
                      const boost::source_location& where = BOOST_CURRENT_LOCATION) {
    if (!holds) invariant_failed(sentence, where.file_name(), where.line());
}

}  // namespace keyturn
