#pragma once

#include "rotation/record.hpp"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

// history/TUNNEL.jsonl has one entry a line, oldest first. A last line without an end was torn by a
// crash and does not count.

/// The text with the entry appended and with as many of the oldest entries removed as the limits
/// require. Does not repeat an entry whose rotation and outcome are those of the last line, because
/// the end of a rotation is recorded twice after a crash.
[[nodiscard]] std::string with_entry(std::string_view text, const HistoryEntry& entry);

/// The newest `count` entries, oldest first. Skips lines that cannot be read.
[[nodiscard]] std::vector<HistoryEntry> newest_entries(std::string_view text, std::size_t count);

/// Limits of keyturn's own. Monthly rotations fill them in 40 years; nightly ones keep 500 nights.
inline constexpr std::size_t history_entries_max = 500;
inline constexpr std::size_t history_bytes_max = std::size_t{512} * 1024;

}  // namespace keyturn
