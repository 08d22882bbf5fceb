#pragma once

#include "unit/rotation/world_test.hpp"

namespace keyturn {

/// The token of this tunnel is in wrong hands, and somebody is attached with it.
struct CompromisedWorld : RotationWorld {
    CompromisedWorld() {
        request.kind = RotationKind::compromise;
        foreign_connectors = {thief};
    }

    void expect_locked_out() const {
        EXPECT_TRUE(done());
        EXPECT_EQ(api_token, Token::ours);
        EXPECT_TRUE(old_wiped);
        EXPECT_THAT(foreign_connectors, IsEmpty());
        EXPECT_EQ(count("keep token"), 0U);
        EXPECT_TRUE(told(EventKind::locked_out));
        ASSERT_THAT(history, SizeIs(1));
        EXPECT_EQ(outcome(), Outcome::done);
        for (const auto& [name, unit] : units) EXPECT_EQ(unit.token, Token::ours) << name;
    }
};

using CompromisedTest = WorldTest<CompromisedWorld>;

}  // namespace keyturn
