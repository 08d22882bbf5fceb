#include "agent/seen_units.hpp"

#include "fakes/samples.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

using namespace std::chrono_literals;

SampleUnits::Sample without_connection(const std::string& invocation) {
    SampleUnits::Sample sample = idle(invocation, "c");
    sample.state.name = a;
    return sample;
}

class SeenUnitsTest : public testing::Test {
  protected:
    [[nodiscard]] std::optional<BootTime> idle_since() const {
        return seen_.idle_since({UnitStart{a, "i-1", "", false}});
    }

    SeenUnits seen_;
    BootTime now_{1h};
};

TEST_F(SeenUnitsTest, HaveLostNothingThatNobodySaw) {
    EXPECT_FALSE(seen_.lost(without_connection("i-1")));
}

TEST_F(SeenUnitsTest, HaveLostTheConnectionsThatTheyHad) {
    seen_.note({serving("i-1", "c", a)}, now_);
    EXPECT_TRUE(seen_.lost(without_connection("i-1")));
    EXPECT_FALSE(seen_.lost(serving("i-1", "c", a)));
    SampleUnits::Sample unknown = silent("i-1");
    unknown.state.name = a;
    EXPECT_FALSE(seen_.lost(unknown)) << "not knowing is not losing";
}

TEST_F(SeenUnitsTest, HaveLostThemWhereTheProcessIsAnother) {
    seen_.note({without_connection("i-1")}, now_);
    EXPECT_FALSE(seen_.lost(without_connection("i-1"))) << "it had none before";
    EXPECT_TRUE(seen_.lost(without_connection("i-2")));
}

TEST_F(SeenUnitsTest, KeepSinceWhenAProcessIsIdle) {
    seen_.note({without_connection("i-1")}, now_);
    seen_.note({without_connection("i-1")}, now_ + 1min);
    EXPECT_EQ(idle_since(), now_);
    seen_.note({without_connection("i-2")}, now_ + 2min);
    EXPECT_EQ(idle_since(), now_ + 2min) << "a new process has its own time";
    seen_.note({serving("i-2", "c", a)}, now_ + 3min);
    EXPECT_FALSE(idle_since());
}

TEST_F(SeenUnitsTest, CountNoStoppedUnitAsIdle) {
    seen_.note({stopped(a)}, now_);
    EXPECT_FALSE(idle_since()) << "whoever stopped it starts it again";
}

}  // namespace
}  // namespace keyturn
