#pragma once

#include "fakes/rotation_world.hpp"

#include <gmock/gmock.h>

namespace keyturn {

inline const std::string a = "cloudflared-web@1.service";
inline const std::string b = "cloudflared-web@2.service";
inline const std::string c = "cloudflared-web@3.service";
inline const Connector thief{"thief", "198.51.100.7", "2026-11-24T06:50:54Z", "", 4};
/// Comes from the address that our own come from.
inline const Connector neighbour{"neighbour", "192.0.2.1", "2026-11-24T06:50:54Z", "", 4};

/// The token of this tunnel is in wrong hands, and somebody is attached with it.
struct CompromisedWorld : RotationWorld {
    explicit CompromisedWorld(std::vector<std::string> names = {a, b})
        : RotationWorld(std::move(names)) {
        request.kind = RotationKind::compromise;
        foreign_connectors = {thief};
    }
};

inline void expect_locked_out(CompromisedWorld& world) {
    EXPECT_TRUE(world.done());
    EXPECT_EQ(world.api_token, RotationWorld::Token::ours);
    EXPECT_TRUE(world.old_wiped);
    EXPECT_TRUE(world.foreign_connectors.empty());
    EXPECT_EQ(world.count("adopt"), 0U);
    EXPECT_TRUE(world.told(EventKind::locked_out));
    ASSERT_EQ(world.history.size(), 1U);
    EXPECT_EQ(world.history.front().outcome, Outcome::done);
    for (const auto& [name, unit] : world.units)
        EXPECT_EQ(unit.token, RotationWorld::Token::ours) << name;
}

}  // namespace keyturn
