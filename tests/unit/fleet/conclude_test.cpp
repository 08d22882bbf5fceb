#include "fakes/sample_fleet.hpp"
#include "fleet/document_json.hpp"
#include "fleet/transitions.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

HistoryEntry wordy_entry() {
    HistoryEntry entry = sample_entry("0123456789abcdef0123456789abcdef");
    entry.text = std::string(2000, 'x');
    return entry;
}

TEST(Conclude, KeepsTheEntryWithoutItsUnits) {
    FleetDocument document = sample_fleet();
    const HistoryEntry entry = wordy_entry();
    ASSERT_FALSE(entry.units.empty());
    ASSERT_TRUE(conclude(document, {"host-1", 7}, document.state, entry));
    ASSERT_TRUE(document.last);
    EXPECT_TRUE(document.last->units.empty());
    EXPECT_EQ(document.last->text, entry.text);
    EXPECT_EQ(document.state.rotation, std::nullopt);
    EXPECT_EQ(document.lead, std::nullopt);
}

TEST(Conclude, RecognizesItsOwnEffectInTheObject) {
    FleetDocument document = sample_fleet();
    const TunnelState state = document.state;
    ASSERT_TRUE(conclude(document, {"host-1", 7}, state, wordy_entry()));
    // The object shortens the text.
    document = decode_fleet_document(encode_fleet_document(document)).value();
    const FleetDocument before = document;
    EXPECT_TRUE(conclude(document, {"host-1", 7}, state, wordy_entry()));
    EXPECT_EQ(document, before);
    HistoryEntry another = wordy_entry();
    another.ended += Milliseconds{1};
    EXPECT_FALSE(conclude(document, {"host-1", 7}, state, another)) << "nobody leads";
}

}  // namespace
}  // namespace keyturn
