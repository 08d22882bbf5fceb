// The history of a tunnel, a line a rotation. Its first whole line that can be read is added to the
// rest.
#include "state/history_file.hpp"

#include "fuzz/input.hpp"
#include "state/record_json.hpp"

using namespace keyturn;

namespace {

HistoryEntry entry_from(std::string_view line) {
    const Result<HistoryEntry> read = decode_history_entry(line);
    if (read) return *read;
    invariant(read.error().fault == Fault::invalid, "a line is refused as invalid");
    invariant(fuzz::is_one_line(read.error().text), "a refusal is one line");
    HistoryEntry entry;
    entry.rotation_id = "0123456789abcdef0123456789abcdef";
    entry.outcome = Outcome::done;
    return entry;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view text = fuzz::text_of(data, size);
    const HistoryEntry entry = entry_from(fuzz::take_line(text));
    invariant(*decode_history_entry(encode_history_entry(entry)) == entry,
              "an entry is read as it is written");

    const std::size_t before = newest_entries(text, history_entries_max + 1).size();
    const std::string longer = with_entry(text, entry);
    invariant(longer.size() <= history_bytes_max && longer.ends_with('\n'), "a history is whole");
    const std::vector<HistoryEntry> entries = newest_entries(longer, history_entries_max + 1);
    invariant(!entries.empty() && entries.size() <= before + 1, "one entry is added at most");
    invariant(entries.size() >= before, "a short history loses nothing");
    invariant(entries.back().rotation_id == entry.rotation_id, "the newest entry is the last");
    invariant(newest_entries(longer, 1).front() == entries.back(), "one entry is the newest one");
    invariant(entry.rotation_id.empty() || with_entry(longer, entry) == longer,
              "an entry that is recorded twice is there once");
    return 0;
}
