#include "rotation/capacity.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

using Samples = SampleUnits::Value;
using testing::Optional;

class CapacityTest : public ChapterAlone {
  protected:
    CapacityTest() {
        add_unit("a.service", UnitStep::waiting);
        add_unit("b.service", UnitStep::waiting);
    }

    const SampleUnits::Sample serves_ = serving("i", "c");
    const SampleUnits::Sample idle_ = idle("i", "c");
    const SampleUnits::Sample silent_ = silent("i");
    Capacity capacity_{context_};
};

TEST_F(CapacityTest, AUnitMayGoDownWhereEnoughOthersServeOrItServesNoMore) {
    struct Row {
        Samples samples;  // a, which is to go, and b.
        bool may;
    };
    const SampleUnits::Sample other = serving("i2", "c2");
    const std::vector<Row> rows{{{serves_, other}, true},    {{serves_, idle_}, false},
                                {{serves_, silent_}, false}, {{idle_, idle_}, true},
                                {{idle_, silent_}, true},    {{silent_, other}, true},
                                {{silent_, idle_}, false},   {{stopped(), idle_}, true},
                                {{serves_, serves_}, false}};  // One process by two names.
    for (const Row& row : rows) {
        EXPECT_EQ(capacity_.may_go_down(0, row.samples), row.may) << "row " << &row - rows.data();
    }
}

TEST_F(CapacityTest, AGapThatIsAcceptedIsEnough) {
    const Samples last{serves_, idle_};
    ASSERT_FALSE(capacity_.may_go_down(0, last));
    context_.record.request.accept_gap = true;
    EXPECT_TRUE(capacity_.may_go_down(0, last));
    context_.record.request.accept_gap = false;
    context_.inputs.policy.rollout.accept_gap = true;
    EXPECT_TRUE(capacity_.may_go_down(0, last));
}

TEST_F(CapacityTest, ASilentUnitCountsOnlyWhereSystemdHasProvenIt) {
    UnitProgress& other = context_.record.units[1];
    const Samples samples{serves_, silent_};
    other.step = UnitStep::verified;
    other.invocation_after = "i";
    other.connector_after = "c";
    EXPECT_FALSE(capacity_.may_go_down(0, samples));
    other.connector_after.clear();
    EXPECT_TRUE(capacity_.may_go_down(0, samples));
    other.invocation_after = "another";
    EXPECT_FALSE(capacity_.may_go_down(0, samples));
}

TEST_F(CapacityTest, WhatIsUnknownIsAReasonToWaitOnlyWhereItWouldHelp) {
    EXPECT_TRUE(capacity_.might_be_allowed(0, {serves_, silent_}));
    EXPECT_FALSE(capacity_.might_be_allowed(0, {serves_, idle_}));
    context_.inputs.policy.rollout.min_available = 2;
    EXPECT_FALSE(capacity_.might_be_allowed(0, {serves_, silent_}));
}

TEST_F(CapacityTest, AUnitWithoutAConnectionGoesFirst) {
    EXPECT_EQ(capacity_.waiting_without_connection({serves_, serves_}), std::nullopt);
    EXPECT_THAT(capacity_.waiting_without_connection({serves_, idle_}), Optional(1U));
    EXPECT_EQ(capacity_.waiting_without_connection({serves_, stopped()}), std::nullopt);
    EXPECT_EQ(capacity_.waiting_without_connection({serves_, silent_}), std::nullopt);
    context_.record.request.kind = RotationKind::compromise;
    EXPECT_THAT(capacity_.waiting_without_connection({serves_, silent_}), Optional(1U));
    context_.record.units[1].step = UnitStep::verified;
    EXPECT_EQ(capacity_.waiting_without_connection({serves_, idle_}), std::nullopt);
}

TEST_F(CapacityTest, OnlyASurgeThatDoesNotRunCanHelpOut) {
    EXPECT_EQ(capacity_.idle_surge({serves_, stopped()}), std::nullopt);
    UnitProgress& surge = context_.record.units[1];
    surge.surge = true;
    surge.step = UnitStep::listed;
    EXPECT_THAT(capacity_.idle_surge({serves_, stopped()}), Optional(1U));
    EXPECT_EQ(capacity_.idle_surge({serves_, serves_}), std::nullopt);
    surge.step = UnitStep::verified;
    EXPECT_EQ(capacity_.idle_surge({serves_, stopped()}), std::nullopt);
}

}  // namespace
}  // namespace keyturn
