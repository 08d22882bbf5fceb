#pragma once

#include "base/names.hpp"
#include "schedule/schedule.hpp"
#include "time/moment.hpp"

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace keyturn {

/// What is known about a token's age. A missing history is no reason to rotate: if the last
/// rotation is unknown, the age counts from when the tunnel was first seen.
struct TokenAge {
    WallTime first_seen{};
    std::optional<WallTime> last_done = {};
    std::optional<WallTime> given_up = {};  ///< When a rotation after the last one was called off.

    bool operator==(const TokenAge&) const = default;
};

/// What a scheduled rotation of one tunnel needs, and its place in the splay.
struct StartPlan {
    Milliseconds expected{0};  ///< The expected duration.
    double splay_share = 0;    ///< At least 0 and below 1; constant for a tunnel on a host.

    bool operator==(const StartPlan&) const = default;
};

/// What a start waits for besides the token's age.
enum class StartCause {
    due,      ///< Nothing.
    window,   ///< A window that opens and is long enough.
    freeze,   ///< The end of a freeze.
    max_age,  ///< Nothing any more: the token gets too old before the next window.
    never,    ///< A window, or the end of a freeze, that does not come.
};

template <>
inline constexpr Names<StartCause, 5> names<StartCause>{{
    {StartCause::due, "due"},
    {StartCause::window, "window"},
    {StartCause::freeze, "freeze"},
    {StartCause::max_age, "max_age"},
    {StartCause::never, "never"},
}};

/// When a tunnel is due and when its rotation starts.
struct Due {
    WallTime due;                   ///< May be in the past.
    std::optional<WallTime> start;  ///< Not before `due`. Nothing for `never`.
    StartCause cause = StartCause::due;

    bool operator==(const Due&) const = default;
};

/// The next scheduled start; nothing for a tunnel that is rotated only on demand. A missed start is
/// made up for once, immediately if that is allowed. `now` only rules out what is already in the
/// past: if nothing happens, a later call has the same result.
[[nodiscard]] std::optional<Due> next_due(const Schedule& schedule, const TokenAge& age,
                                          const StartPlan& plan, WallTime now);

/// The next `count` scheduled starts, as if each rotation took its expected time. The list ends
/// with a start that never comes, if there is one.
[[nodiscard]] std::vector<Due> upcoming(const Schedule& schedule, TokenAge age,
                                        const StartPlan& plan, WallTime now, std::size_t count);

}  // namespace keyturn
