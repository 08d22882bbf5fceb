#pragma once

#include "fakes/matchers.hpp"
#include "fakes/small_fleet.hpp"
#include "fleet/transitions.hpp"

#include <gtest/gtest.h>

namespace keyturn {

inline const Leadership lead{"host-1", rolling_epoch};
inline const Leadership deposed_lead{"host-1", rolling_epoch - 1};

/// Applies a transition, and once more as after an answer that was lost: the second time changes
/// nothing.
inline Result<void> twice(FleetDocument& document, const FleetTransition& transition) {
    const Result<void> applied = transition(document);
    const FleetDocument after = document;
    static_cast<void>(transition(document));
    EXPECT_EQ(document, after) << "the second time changes something";
    return applied;
}

/// The transition refuses and leaves everything as it is.
inline Fault refusal(FleetDocument document, const FleetTransition& transition) {
    const FleetDocument before = document;
    const Result<void> applied = transition(document);
    EXPECT_FALSE(applied);
    EXPECT_EQ(document, before);
    return applied ? Fault::invalid : applied.error().fault;
}

/// What a decision to restart the unit of this host saw.
inline TurnWish wish_for(int host, const FleetDocument& document) {
    TurnWish wish;
    wish.unit = unit_of(host);
    wish.deadline = Milliseconds(120'000);
    for (const auto& [name, member] : document.members) wish.seen.emplace_back(name, member.units);
    return wish;
}

inline FleetTransition granting(const TurnWish& wish, const Leadership& by = lead) {
    return [wish, by](FleetDocument& document) { return grant_turn(document, by, wish); };
}

}  // namespace keyturn
