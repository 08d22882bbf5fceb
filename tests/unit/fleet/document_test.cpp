#include "fleet/document.hpp"

#include "fakes/sample_fleet.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

TEST(FleetUnit, IsTakenApartAsItWasPutTogether) {
    const std::string name = fleet_unit("host-a.example", a);
    EXPECT_EQ(name, "host-a.example/" + a);
    EXPECT_EQ(split_fleet_unit(name), (FleetUnitName{"host-a.example", a}));
    EXPECT_EQ(split_fleet_unit("h/dev\\x2dsda.service"),
              (FleetUnitName{"h", "dev\\x2dsda.service"}));
}

TEST(FleetUnit, IsNoOtherText) {
    for (const std::string text :
         {"", "/", "host", "host/", "/unit.service", "host/a/b.service", "-host/unit.service",
          "ho st/unit.service", "host/un it.service", "host\n/unit.service", "host/unit\n",
          "h\xc3\xb6st/unit.service", "../unit.service", ".host/unit.service", "host/unit",
          "host/..", "host/unit."}) {
        EXPECT_FALSE(split_fleet_unit(text)) << text;
    }
    EXPECT_TRUE(split_fleet_unit(std::string(64, 'h') + "/u.service"));
    EXPECT_FALSE(split_fleet_unit(std::string(65, 'h') + "/u.service"));
    EXPECT_TRUE(split_fleet_unit("h/" + std::string(247, 'u') + ".service"));
    EXPECT_FALSE(split_fleet_unit("h/" + std::string(248, 'u') + ".service"));
}

TEST(FleetDocument, FindsTheNewestTurnOfAUnit) {
    FleetDocument document;
    EXPECT_EQ(document.turn_of("host-1/" + a), nullptr);
    FleetTurn turn = sample_turn();
    turn.number = 9;
    document.turns = {turn};
    turn.number = 8;
    document.turns.push_back(turn);
    turn.number = 10;
    turn.unit = "host-1/" + a;
    document.turns.push_back(turn);
    EXPECT_EQ(document.turn_of("host-2/" + a)->number, 9U);
    EXPECT_EQ(document.turn_of("host-1/" + a)->number, 10U);
    EXPECT_EQ(document.turn_of("host-1/" + b), nullptr);
}

TEST(FleetMember, FindsAUnitByItsName) {
    const FleetMember member = sample_member('1');
    ASSERT_NE(member.find(a), nullptr);
    EXPECT_EQ(member.find(a)->name(), a);
    EXPECT_EQ(member.find(b), nullptr);
}

}  // namespace
}  // namespace keyturn
