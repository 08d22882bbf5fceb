#pragma once

#include "base/names.hpp"
#include "schedule/schedule.hpp"
#include "time/moment.hpp"

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace keyturn {

/// What is known of a token's age. No history is no reason to rotate: where the last rotation is
/// not known, the age counts from when the tunnel was first seen.
struct TokenAge {
    WallTime first_seen{};
    std::optional<WallTime> last_done = {};
    std::optional<WallTime> given_up = {};  ///< When a rotation was called off after the last one.

    bool operator==(const TokenAge&) const = default;
};

/// What a scheduled rotation of one tunnel needs and where its place in the splay is.
struct StartPlan {
    Milliseconds expected{0};  ///< How long it is expected to take.
    double splay_share = 0;    ///< From 0 to less than 1, always the same for a tunnel on a host.

    bool operator==(const StartPlan&) const = default;
};

/// What a start waits for besides the token's age.
enum class StartCause {
    due,      ///< Nothing.
    window,   ///< A window that opens, and is long enough.
    freeze,   ///< The end of a freeze.
    max_age,  ///< Nothing any more: the token gets too old for the next window.
    never,    ///< A window or the end of a freeze that does not come.
};

template <>
inline constexpr Names<StartCause, 5> names<StartCause>{{
    {StartCause::due, "due"},
    {StartCause::window, "window"},
    {StartCause::freeze, "freeze"},
    {StartCause::max_age, "max_age"},
    {StartCause::never, "never"},
}};

/// When a tunnel is due, and when it is started.
struct Due {
    WallTime due;                   ///< May lie in the past.
    std::optional<WallTime> start;  ///< Not before `due`; nothing for `never`.
    StartCause cause = StartCause::due;

    bool operator==(const Due&) const = default;
};

/// The next scheduled start; nothing for a tunnel that is rotated on demand only. What was missed
/// is made up for once, at once where that is allowed. `now` only tells what cannot be kept any
/// more: asked again later without anything having happened, the answer is the same.
[[nodiscard]] std::optional<Due> next_due(const Schedule& schedule, const TokenAge& age,
                                          const StartPlan& plan, WallTime now);

/// The next `count` scheduled starts, each as if the one before had taken what is expected. Ends
/// with one that never starts.
[[nodiscard]] std::vector<Due> upcoming(const Schedule& schedule, TokenAge age,
                                        const StartPlan& plan, WallTime now, std::size_t count);

}  // namespace keyturn
