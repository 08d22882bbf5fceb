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

/// Cloudflare allows a user 1,200 calls in five minutes and then blocks all of that user's calls,
/// even those of the dashboard (API limits page, 2026-04-20). Half is left to the people and
/// programs that share the limit.
inline constexpr Milliseconds budget_window = std::chrono::minutes{5};
inline constexpr std::size_t budget_calls_max = 600;

/// How many calls one check for drift makes, and about how many a whole rotation makes.
inline constexpr std::size_t look_calls = 2;
inline constexpr std::size_t rotation_calls = 20;

/// A check for drift waits while fewer calls than this are left: a third is kept for rotations.
inline constexpr std::size_t kept_from_looks = budget_calls_max / 3;

/// A rotation that is due waits while fewer than this are left: a sixth is kept for open rotations.
inline constexpr std::size_t kept_from_starts = budget_calls_max / 6;

/// After waiting this long, an errand needs only its own calls to be left: a tunnel that nobody
/// checks any more is worse than a rotation that waits a while.
inline constexpr Milliseconds slot_patience = std::chrono::hours{1};

/// How long keyturn stays quiet if Cloudflare does not say how long: one second, and twice as long
/// each further time in a row.
inline constexpr std::chrono::seconds quiet_min{1};
inline constexpr std::chrono::seconds quiet_max{60};

/// Decides who may call Cloudflare now. There is one object for the daemon, because several
/// credentials can belong to one user. What an answer reports counts for the credential of that
/// call. Pure: callers pass in the time, and the object itself never waits.
///
/// A single call is either admitted or has to wait. An errand is a check for drift or the start of
/// a rotation that is due. It needs a turn before its first call. Turns are far enough apart that
/// many tunnels never use up the calls that are kept for others. The calls of an errand count like
/// all others.
class ApiBudget {
  public:
    enum class Use { look, start };

    /// One errand, from the first time it asks for its slot. The caller keeps it.
    struct Slot {
        std::optional<BootTime> wanted;
        BootTime next{};  ///< When to ask again.
        bool booked = false;
    };

    /// `at` is now or when to try again; in the latter case the clause `why` says what it waits
    /// for.
    struct Admission {
        BootTime at;
        std::string_view why;
    };

    /// Asks for one call. An admitted call counts from now on, whatever its outcome.
    [[nodiscard]] Admission admit(const std::string& credential, BootTime now);

    /// When the errand may begin: now, or when to ask again. An errand can be given up without
    /// notice.
    [[nodiscard]] BootTime slot_for(Use use, Slot& slot, const std::string& credential,
                                    BootTime now);

    /// Records the limits that the headers of an answer report.
    void heard(const std::string& credential, const std::vector<RateLimit>& limits, BootTime now);

    /// Records a 429 or code 971: nobody calls with this credential until the returned time.
    BootTime throttled(const std::string& credential, std::chrono::seconds retry_after,
                       BootTime now);

    /// Records any other answer, which ends a row of 429s.
    void answered(const std::string& credential);

  private:
    /// What Cloudflare reported as left, and our half of it.
    struct Limit {
        std::string name;
        int allowed = 0;
        int quota = 0;          ///< 0 if unknown.
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
