#pragma once

#include "time/moment.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

struct RateLimit;

/// Cloudflare lets a user make 1,200 calls in five minutes and then blocks all of them, those of
/// the dashboard, too. Half is for the people and programs that share the limit with us.
inline constexpr Milliseconds budget_window = std::chrono::minutes{5};
inline constexpr std::size_t budget_calls_max = 600;

/// So many calls one look for drift makes, and so many about one whole rotation.
inline constexpr std::size_t look_calls = 2;
inline constexpr std::size_t rotation_calls = 20;

/// A look for drift waits while fewer calls than these are left: a third is for rotations.
inline constexpr std::size_t kept_from_looks = budget_calls_max / 3;

/// A rotation that is due waits while fewer than these are left: a sixth is for open ones.
inline constexpr std::size_t kept_from_starts = budget_calls_max / 6;

/// Where the budget is short for so long, an errand makes do with what its own calls need: a
/// tunnel that nobody looks at any more would be worse than a rotation that waits a while.
inline constexpr Milliseconds slot_patience = std::chrono::hours{1};

/// Where Cloudflare does not say for how long it wants to be left alone: one second, and twice as
/// long each time it says so again.
inline constexpr std::chrono::seconds quiet_min{1};
inline constexpr std::chrono::seconds quiet_max{60};

/// Who may call Cloudflare now. One object for the daemon, because credentials can belong to one
/// user; what an answer says counts for the credential that it came for. Pure: it is told the time,
/// and it never waits itself.
///
/// A call is made or has to wait. An errand, which is a look for drift or the start of a rotation
/// that is due, needs its turn before its first call: turns are so far apart that many tunnels
/// never use up what is kept for others. Its calls count like any others.
class ApiBudget {
  public:
    enum class Use { look, start };

    /// One errand, from the first time its turn is asked for. Belongs to who runs the errand.
    struct Slot {
        std::optional<BootTime> wanted;
        BootTime next{};  ///< When to ask again.
        bool booked = false;
    };

    /// `at` is now, or when to try again, and then `why` is a clause that says what for.
    struct Admission {
        BootTime at;
        std::string_view why;
    };

    /// Asks for one call. If it is admitted it counts from now on, whatever becomes of it.
    [[nodiscard]] Admission admit(const std::string& credential, BootTime now);

    /// When the errand may begin: now, or when to ask again. Nobody has to be told of an errand
    /// that is given up.
    [[nodiscard]] BootTime slot_for(Use use, Slot& slot, const std::string& credential,
                                    BootTime now);

    /// What the headers of an answer said.
    void heard(const std::string& credential, const std::vector<RateLimit>& limits, BootTime now);

    /// Cloudflare wants to be left alone: nobody who has this credential calls before that is over.
    /// Returns when it is.
    BootTime throttled(const std::string& credential, std::chrono::seconds retry_after,
                       BootTime now);

    /// Cloudflare answered, and not that.
    void answered(const std::string& credential);

  private:
    /// What Cloudflare said is left, and our half of it.
    struct Limit {
        std::string name;
        int allowed = 0;
        int quota = 0;          ///< 0 when not told.
        Milliseconds window{};  ///< At most `retry_after_max`.
        BootTime resets{};
    };

    struct Standing {
        std::vector<Limit> limits;
        BootTime quiet_until{};
        int quiet_times = 0;  ///< In a row.
    };

    struct Call {
        BootTime when;
        const Standing* whose;
    };

    static void wait_for_credential(Admission& admission, const Standing& standing,
                                    std::size_t calls, std::size_t kept);
    void wait_for_budget(Admission& admission, std::size_t calls, std::size_t kept) const;
    static void begin_windows(Standing& standing, BootTime now);
    void forget_old_calls(BootTime now);

    std::deque<Call> calls_;  ///< Of the last `budget_window`, oldest first.
    std::map<std::string, Standing> standings_;
    std::array<BootTime, 2> next_slot_{};  ///< For each kind of errand.
};

}  // namespace keyturn
