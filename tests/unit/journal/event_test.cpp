#include "journal/event.hpp"

#include "unit/journal/all_event_kinds.hpp"
#include "unit/shipped_file.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

namespace keyturn {
namespace {

TEST(EventKind, HasANameAndAnIdOfItsOwnEach) {
    std::set<std::string_view> names;
    std::set<std::string_view> message_ids;
    for (const EventKind kind : all_event_kinds()) {
        names.insert(name_of(kind));
        message_ids.insert(message_id_of(kind));
    }
    EXPECT_EQ(names.size(), all_event_kinds().size());
    EXPECT_EQ(message_ids.size(), all_event_kinds().size());
    EXPECT_TRUE(names.contains("rotation_held"));
}

TEST(EventKind, HasIdsAsJournaldWritesThem) {
    for (const EventKind kind : all_event_kinds()) {
        const std::string_view id = message_id_of(kind);
        EXPECT_EQ(id.size(), 32U) << name_of(kind);
        EXPECT_EQ(id.find_first_not_of("0123456789abcdef"), std::string_view::npos) << id;
        // Version and variant of a random UUID: systemd's tools make no others.
        EXPECT_EQ(id[12], '4') << name_of(kind);
        EXPECT_NE(std::string_view("89ab").find(id[16]), std::string_view::npos) << name_of(kind);
    }
}

TEST(EventKind, HasTheNameOfItsConstant) {
    const std::string table = shipped::text_of("lib/journal/event.cpp");
    const auto constants = shipped::found_in(table, R"re(Row\{EventKind::(\w+), "\w+")re");
    ASSERT_EQ(constants.size(), all_event_kinds().size());
    for (std::size_t i = 0; i < constants.size(); ++i) {
        EXPECT_EQ(name_of(all_event_kinds()[i]), constants[i]);
    }
}

TEST(EventKind, KeepsTheIdsThatPeopleSearchFor) {
    EXPECT_EQ(message_id_of(EventKind::rotation_done), "d4a1dc6097cc4e0593c5bb87bfaed2fe");
    EXPECT_EQ(message_id_of(EventKind::rotation_held), "2318a59bc2d441139f3134ab898ad1e7");
}

TEST(EventKindDeathTest, AKindThatIsNoneIsABug) {
    EXPECT_DEATH(static_cast<void>(name_of(static_cast<EventKind>(1000))), "an existing kind");
}

}  // namespace
}  // namespace keyturn
