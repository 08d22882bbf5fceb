#include "state/history_file.hpp"

#include "base/ascii.hpp"
#include "state/record_json.hpp"

#include <algorithm>

namespace keyturn {
namespace {

using Lines = std::vector<std::string_view>;

Lines whole_lines(std::string_view text) {
    Lines lines = split(text, "\n");
    lines.pop_back();
    std::erase(lines, std::string_view{});
    return lines;
}

bool ends_with_it(const Lines& lines, const HistoryEntry& entry) {
    if (lines.empty() || entry.rotation_id.empty()) return false;
    const Result<HistoryEntry> last = decode_history_entry(lines.back());
    return last && last->rotation_id == entry.rotation_id && last->outcome == entry.outcome;
}

/// The index of the first line to keep, so that the rest fits into `room` bytes and `entries`
/// lines.
std::size_t first_to_keep(const Lines& lines, std::size_t room, std::size_t entries) {
    std::size_t first = lines.size();
    while (first > 0 && lines.size() - first < entries && lines[first - 1].size() + 1 <= room) {
        --first;
        room -= lines[first].size() + 1;
    }
    return first;
}

}  // namespace

std::string with_entry(std::string_view text, const HistoryEntry& entry) {
    const Lines lines = whole_lines(text);
    const std::string line = ends_with_it(lines, entry) ? "" : encode_history_entry(entry) + "\n";
    const std::size_t room = history_bytes_max - std::min(line.size(), history_bytes_max);
    const std::size_t entries = history_entries_max - (line.empty() ? 0 : 1);
    std::string result;
    for (std::size_t i = first_to_keep(lines, room, entries); i < lines.size(); ++i) {
        result.append(lines[i]).append("\n");
    }
    return result.append(line);
}

std::vector<HistoryEntry> newest_entries(std::string_view text, std::size_t count) {
    const Lines lines = whole_lines(text);
    std::vector<HistoryEntry> entries;
    for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
        if (entries.size() == count) break;
        Result<HistoryEntry> entry = decode_history_entry(*line);
        if (entry) entries.push_back(std::move(*entry));
    }
    std::ranges::reverse(entries);
    return entries;
}

}  // namespace keyturn
