#pragma once

#include "rotation/record.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// The text of history/TUNNEL.jsonl, one entry a line, taken apart.
struct HistoryLines {
    std::vector<std::string_view> lines;  ///< Whole ones, oldest first.
    bool torn = false;                    ///< There was a last line without its end: left out.
};
[[nodiscard]] HistoryLines split_history(std::string_view text);

/// The text with the entry after it, and without as many of the oldest ones as the limits ask for.
/// An entry for a rotation and outcome that the last line has already is not added again: after a
/// crash the end of a rotation is recorded twice.
[[nodiscard]] std::string with_entry(std::string_view text, const HistoryEntry& entry);

/// The newest `count` entries, oldest first. Lines that cannot be read are left out.
[[nodiscard]] std::vector<HistoryEntry> newest_entries(std::string_view text, std::size_t count);

/// A monthly rotation fills these in 40 years; a nightly one keeps the last 500 nights.
inline constexpr std::size_t history_entries_max = 500;
inline constexpr std::size_t history_bytes_max = std::size_t{512} * 1024;

}  // namespace keyturn
