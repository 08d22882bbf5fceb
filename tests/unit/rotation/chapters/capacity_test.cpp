#include "rotation/capacity.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

class CapacityTest : public ChapterAlone {
  protected:
    CapacityTest() {
        add_unit(a, UnitStep::waiting);
        add_unit(b, UnitStep::waiting);
    }
};

TEST_F(CapacityTest, AUnitMayGoDownIfEnoughOthersServeOrItServesNoMore) {
    struct Row {
        Samples samples;  // a, which is to go, and b.
        bool may;
    };
    const std::vector<Row> rows{{{a_, b_}, true},
                                {{a_, idle_b_}, false},
                                {{a_, silent_b_}, false},
                                {{idle_a_, idle_b_}, true},
                                {{idle_a_, silent_b_}, true},
                                {{silent_a_, b_}, true},
                                {{silent_a_, idle_b_}, false},
                                {{stopped(), idle_b_}, true},
                                {{a_, a_}, false}};  // One process by two names.
    for (const Row& row : rows) {
        EXPECT_EQ(capacity_.may_go_down(0, row.samples), row.may) << "row " << &row - rows.data();
    }
}

TEST_F(CapacityTest, AGapThatIsAcceptedIsEnough) {
    const Samples last{a_, idle_b_};
    ASSERT_FALSE(capacity_.may_go_down(0, last));
    context_.record.request.accept_gap = true;
    EXPECT_TRUE(capacity_.may_go_down(0, last));
    context_.record.request.accept_gap = false;
    context_.inputs.policy.rollout.accept_gap = true;
    EXPECT_TRUE(capacity_.may_go_down(0, last));
}

TEST_F(CapacityTest, ASilentUnitCountsOnlyIfSystemdHasProvenIt) {
    UnitProgress& other = context_.record.units[1];
    const Samples samples{a_, silent_b_};
    other.step = UnitStep::verified;
    other.invocation_after = "i-b";
    other.connector_after = "c-b";
    EXPECT_FALSE(capacity_.may_go_down(0, samples));
    other.connector_after.clear();
    EXPECT_TRUE(capacity_.may_go_down(0, samples));
    other.invocation_after = "another";
    EXPECT_FALSE(capacity_.may_go_down(0, samples));
}

TEST_F(CapacityTest, WhatIsUnknownIsAReasonToWaitOnlyIfItWouldHelp) {
    EXPECT_TRUE(capacity_.might_be_allowed(0, {a_, silent_b_}));
    EXPECT_FALSE(capacity_.might_be_allowed(0, {a_, idle_b_}));
    context_.inputs.policy.rollout.min_available = 2;
    EXPECT_FALSE(capacity_.might_be_allowed(0, {a_, silent_b_}));
}

TEST_F(CapacityTest, AUnitWithoutAConnectionGoesFirst) {
    EXPECT_EQ(capacity_.waiting_without_connection({a_, a_}), std::nullopt);
    EXPECT_THAT(capacity_.waiting_without_connection({a_, idle_b_}), testing::Optional(1U));
    EXPECT_EQ(capacity_.waiting_without_connection({a_, stopped()}), std::nullopt);
    EXPECT_EQ(capacity_.waiting_without_connection({a_, silent_b_}), std::nullopt);
    context_.record.request.kind = RotationKind::compromise;
    EXPECT_THAT(capacity_.waiting_without_connection({a_, silent_b_}), testing::Optional(1U));
    context_.record.units[1].step = UnitStep::verified;
    EXPECT_EQ(capacity_.waiting_without_connection({a_, idle_b_}), std::nullopt);
}

TEST_F(CapacityTest, OnlyASurgeThatDoesNotRunCanHelpOut) {
    EXPECT_EQ(capacity_.idle_surge({a_, stopped()}), std::nullopt);
    UnitProgress& surge = context_.record.units[1];
    surge.surge = true;
    surge.step = UnitStep::listed;
    EXPECT_THAT(capacity_.idle_surge({a_, stopped()}), testing::Optional(1U));
    EXPECT_EQ(capacity_.idle_surge({a_, a_}), std::nullopt);
    surge.step = UnitStep::verified;
    EXPECT_EQ(capacity_.idle_surge({a_, stopped()}), std::nullopt);
}

}  // namespace
}  // namespace keyturn
