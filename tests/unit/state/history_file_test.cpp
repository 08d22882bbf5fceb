#include "state/history_file.hpp"

#include "fakes/sample_state.hpp"

#include <gtest/gtest.h>

#include <string>

namespace keyturn {
namespace {

std::vector<std::string> ids(std::string_view text, std::size_t count = 1000) {
    std::vector<std::string> ids;
    for (const HistoryEntry& entry : newest_entries(text, count)) ids.push_back(entry.rotation_id);
    return ids;
}

using Ids = std::vector<std::string>;

std::string text_of(const Ids& rotation_ids) {
    std::string text;
    for (const std::string& id : rotation_ids) text = with_entry(text, sample_entry(id));
    return text;
}

TEST(HistoryFile, GivesTheNewestEntriesOldestFirst) {
    const std::string text = text_of({"a", "b", "c"});
    EXPECT_EQ(ids(text), (Ids{"a", "b", "c"}));
    EXPECT_EQ(ids(text, 2), (Ids{"b", "c"}));
    EXPECT_EQ(ids(text, 0), Ids{});
    EXPECT_EQ(ids(""), Ids{});
    EXPECT_EQ(newest_entries(text, 1).front(), sample_entry("c"));
}

TEST(HistoryFile, LeavesOutATornLastLineWhereverItIsTorn) {
    const std::string text = text_of({"a", "b"});
    const std::size_t first = text.find('\n') + 1;
    for (std::size_t size = first; size < text.size(); ++size) {
        const std::string torn = text.substr(0, size);
        EXPECT_EQ(ids(torn), Ids{"a"}) << size;
        EXPECT_EQ(ids(with_entry(torn, sample_entry("c"))), (Ids{"a", "c"})) << size;
    }
}

TEST(HistoryFile, GoesOnOverALineThatCannotBeRead) {
    EXPECT_EQ(ids(text_of({"a"}) + "garbage\n\n{}\n" + text_of({"b"})), (Ids{"a", "b"}));
}

TEST(HistoryFile, DoesNotAddTheEndOfARotationTwice) {
    HistoryEntry again = sample_entry("b");
    again.ended += Milliseconds(5000);
    const std::string text = text_of({"a", "b"});
    EXPECT_EQ(with_entry(text, again), text);
    again.outcome = Outcome::refused;
    EXPECT_EQ(ids(with_entry(text, again)), (Ids{"a", "b", "b"}));
    EXPECT_EQ(ids(text_of({"a", "b", "a"})), (Ids{"a", "b", "a"}));
    // A refusal before there is a secret has no id: each one counts.
    EXPECT_EQ(ids(text_of({"", ""})), (Ids{"", ""}));
}

TEST(HistoryFile, KeepsNoMoreThanItsNumberOfEntries) {
    std::string text;
    HistoryEntry small;
    for (std::size_t i = 0; i < history_entries_max + 3; ++i) {
        small.rotation_id = std::to_string(i);
        text = with_entry(text, small);
    }
    const Ids kept = ids(text);
    ASSERT_EQ(kept.size(), history_entries_max);
    EXPECT_EQ(kept.front(), "3");
    EXPECT_EQ(kept.back(), std::to_string(history_entries_max + 2));
}

TEST(HistoryFile, KeepsNoMoreThanItsBytesButAlwaysTheNewest) {
    HistoryEntry large = sample_entry("a");
    large.text.assign(history_bytes_max / 3, 'x');
    std::string text;
    for (const char* id : {"a", "b", "c", "d"}) {
        large.rotation_id = id;
        text = with_entry(text, large);
        EXPECT_LE(text.size(), history_bytes_max);
    }
    EXPECT_EQ(ids(text), (Ids{"c", "d"}));
    large.rotation_id = "huge";
    large.text.assign(2 * history_bytes_max, 'x');
    EXPECT_EQ(ids(with_entry(text, large)), Ids{"huge"});
}

}  // namespace
}  // namespace keyturn
