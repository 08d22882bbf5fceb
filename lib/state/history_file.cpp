#include "state/history_file.hpp"

#include "state/record_json.hpp"

#include <algorithm>

namespace keyturn {
namespace {

bool ends_with_it(const HistoryLines& history, const HistoryEntry& entry) {
    if (history.lines.empty() || entry.rotation_id.empty()) return false;
    const Result<HistoryEntry> last = decode_history_entry(history.lines.back());
    return last && last->rotation_id == entry.rotation_id && last->outcome == entry.outcome;
}

/// The index of the first line to keep, so that the rest fits into `room` bytes and `entries`
/// lines.
std::size_t first_to_keep(const std::vector<std::string_view>& lines, std::size_t room,
                          std::size_t entries) {
    std::size_t first = lines.size();
    while (first > 0 && lines.size() - first < entries && lines[first - 1].size() + 1 <= room) {
        --first;
        room -= lines[first].size() + 1;
    }
    return first;
}

}  // namespace

HistoryLines split_history(std::string_view text) {
    HistoryLines history;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) {
            history.torn = true;
            break;
        }
        if (end > 0) history.lines.push_back(text.substr(0, end));
        text.remove_prefix(end + 1);
    }
    return history;
}

std::string with_entry(std::string_view text, const HistoryEntry& entry) {
    const HistoryLines history = split_history(text);
    const std::string line = ends_with_it(history, entry) ? "" : encode_history_entry(entry) + "\n";
    const std::size_t room = history_bytes_max - std::min(line.size(), history_bytes_max);
    const std::size_t entries = history_entries_max - (line.empty() ? 0 : 1);
    std::string result;
    for (std::size_t i = first_to_keep(history.lines, room, entries); i < history.lines.size();
         ++i) {
        result.append(history.lines[i]).append("\n");
    }
    return result.append(line);
}

std::vector<HistoryEntry> newest_entries(std::string_view text, std::size_t count) {
    const HistoryLines history = split_history(text);
    std::vector<HistoryEntry> entries;
    for (auto line = history.lines.rbegin(); line != history.lines.rend(); ++line) {
        if (entries.size() == count) break;
        Result<HistoryEntry> entry = decode_history_entry(*line);
        if (entry) entries.push_back(std::move(*entry));
    }
    std::ranges::reverse(entries);
    return entries;
}

}  // namespace keyturn
