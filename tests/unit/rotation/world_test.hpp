#pragma once

#include "fakes/matchers.hpp"
#include "fakes/rotation_world.hpp"

namespace keyturn {

/// A test that is a world of its own.
template <class World>
class WorldTest : public testing::Test, public World {
  protected:
    /// Goes on until the first batch has been soaking for this long.
    void soak_for(Milliseconds time) {
        ASSERT_TRUE(this->rotate_until("save soak"));
        ASSERT_TRUE(this->run_for(time));
    }
};

/// A rotation of tunnel web, whose units a and b serve.
using RotationTest = WorldTest<RotationWorld>;

}  // namespace keyturn
