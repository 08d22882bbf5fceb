#pragma once

#include "doctor/redactor.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// One file of a support dump.
struct DumpFile {
    std::string name;    ///< Relative, with slashes.
    std::string source;  ///< The file or the command that it comes from.
    Redacted content;
    std::string note;  ///< What is missing of it and why; empty if nothing is.
};

/// What stands at the top of a dump: what it is, and each file with its size, the number of pieces
/// that were taken away, and its source. Pure.
[[nodiscard]] std::string manifest(std::string_view heading, const std::vector<DumpFile>& files);

/// How much of a journal goes into a dump.
struct JournalLimits {
    int days = 7;
    std::size_t entries = 20'000;
    std::size_t bytes = 8 * std::size_t{1024} * 1024;
};

/// The newest entries of a journal, in the order of time.
struct JournalPart {
    std::string text;  ///< A JSON document in each line.
    bool cut = false;  ///< The limits leave older entries out.
};

/// Makes the part from what `journalctl --reverse --output=json` has printed, which may end in the
/// middle of an entry. Keeps the fields that tell what happened. Pure.
[[nodiscard]] JournalPart part_of_journal(std::string_view newest_first,
                                          const JournalLimits& limits);

}  // namespace keyturn
