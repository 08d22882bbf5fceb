#include "cloudflare/api_budget.hpp"

#include "base/invariant.hpp"
#include "cloudflare/answer_headers.hpp"

#include <algorithm>

namespace keyturn {

namespace {

/// A turn that is not taken up for this long counts as given up.
constexpr Milliseconds slot_kept = std::chrono::minutes{1};

/// How many limits of different names are remembered for one credential, at most.
constexpr std::size_t limits_known_max = 8;

/// Cloudflare reports a reset in whole seconds, rounded up or down.
constexpr Milliseconds reset_is_off = std::chrono::seconds{1};

static_assert(kept_from_looks + rotation_calls < budget_calls_max);

/// How many calls an errand needs, and how many it leaves to others.
struct Need {
    std::size_t calls;
    std::size_t kept;

    /// The time between two turns with which all errands together use exactly the calls that are
    /// not kept for others.
    [[nodiscard]] constexpr Milliseconds gap() const {
        const auto shared = static_cast<Milliseconds::rep>(budget_calls_max - kept);
        return budget_window * static_cast<Milliseconds::rep>(calls) / shared;
    }
};

constexpr Need need_of(ApiBudget::Use use) {
    return use == ApiBudget::Use::look ? Need{look_calls, kept_from_looks}
                                       : Need{rotation_calls, kept_from_starts};
}

/// Our half of a quota. It is never 0: with a quota of 1, keyturn would wait for ever.
constexpr int half_of(int quota) {
    return std::max(1, quota / 2);
}

/// How much of a limit must be left for `calls` calls: those, plus the share of our half that
/// `kept` is of the whole budget. Never more than half of our half, which every new window has.
constexpr int least_for(int quota, std::size_t calls, std::size_t kept) {
    const int wanted = static_cast<int>(calls);
    if (quota == 0) return wanted;
    const int share = kept == 0 ? 0 : half_of(quota) / static_cast<int>(budget_calls_max / kept);
    return std::min(wanted + share, half_of(half_of(quota)));
}

void wait_until(ApiBudget::Admission& admission, BootTime at, std::string_view why) {
    if (at > admission.at) admission = {at, why};
}

}  // namespace

ApiBudget::Admission ApiBudget::admit(const std::string& credential, BootTime now) {
    forget_old_calls(now);
    Standing& standing = standings_[credential];
    begin_windows(standing, now);
    Admission admission{now, ""};
    wait_for_credential(admission, standing, 1, 0);
    wait_for_budget(admission, 1, 0);
    if (admission.at > now) return admission;
    calls_.push_back({now, &standing});
    invariant(calls_.size() <= budget_calls_max, "the budget is kept");
    for (Limit& limit : standing.limits) --limit.allowed;
    return admission;
}

BootTime ApiBudget::slot_for(Use use, Slot& slot, const std::string& credential, BootTime now) {
    if (slot.wanted && now > slot.next + slot_kept) slot = Slot();
    if (slot.wanted && now < slot.next) return slot.next;
    if (!slot.wanted) slot.wanted = now;
    forget_old_calls(now);
    const Need need = need_of(use);
    const bool late = now - *slot.wanted >= slot_patience;
    const std::size_t kept = late ? 0 : need.kept;
    Standing& standing = standings_[credential];
    begin_windows(standing, now);
    Admission admission{now, ""};
    wait_for_credential(admission, standing, need.calls, kept);
    // An errand that only other calls hold up keeps its place in the queue.
    if (admission.at == now && !slot.booked) {
        BootTime& free = next_slot_[static_cast<std::size_t>(use)];
        slot.booked = true;
        slot.next = std::max(now, free);
        free = slot.next + need.gap();
        if (slot.next > now) return slot.next;
    }
    wait_for_budget(admission, need.calls, kept);
    if (admission.at > now) {
        // An errand that waits for long comes back together with all the others, which then need
        // turns.
        slot.booked = slot.booked && admission.at - now <= need.gap();
        slot.next = admission.at;
        return slot.next;
    }
    slot = Slot();
    return now;
}

/// Half of what is left is ours. Our own calls in the window count as not yet made, so the result
/// does not depend on how often Cloudflare reports the limit.
void ApiBudget::heard(const std::string& credential, const std::vector<RateLimit>& limits,
                      BootTime now) {
    forget_old_calls(now);
    Standing& standing = standings_[credential];
    for (const RateLimit& told : limits) {
        Limit limit;
        limit.name = told.name;
        limit.resets = now + told.reset + reset_is_off;
        limit.quota = told.quota;
        const Milliseconds window = told.window.count() > 0 ? told.window : budget_window;
        limit.window = std::min<Milliseconds>(window, retry_after_max);
        const BootTime since = now + told.reset - window - reset_is_off;
        int ours = static_cast<int>(std::ranges::count_if(calls_, [&](const Call& call) {
            return call.whose == &standing && call.when >= since;
        }));
        if (told.quota > 0) ours = std::min(ours, std::max(0, told.quota - told.left));
        limit.allowed = (told.left - ours) / 2;
        std::erase_if(standing.limits, [&](const Limit& old) { return old.name == limit.name; });
        if (standing.limits.size() == limits_known_max) {
            standing.limits.erase(standing.limits.begin());
        }
        standing.limits.push_back(std::move(limit));
    }
}

BootTime ApiBudget::throttled(const std::string& credential, std::chrono::seconds retry_after,
                              BootTime now) {
    Standing& standing = standings_[credential];
    std::chrono::seconds quiet = std::min(retry_after, retry_after_max);
    // Calls that were under way together get the same answer, which counts once.
    if (now >= standing.quiet_until) {
        std::chrono::seconds own = quiet_min;
        for (int time = 0; time < standing.quiet_times && own < quiet_max; ++time) own *= 2;
        quiet = std::max(quiet, std::min(own, quiet_max));
        ++standing.quiet_times;
    }
    standing.quiet_until = std::max(standing.quiet_until, now + quiet);
    return standing.quiet_until;
}

void ApiBudget::answered(const std::string& credential) {
    standings_[credential].quiet_times = 0;
}

/// In a new window the whole quota is left, and half of it is ours. Without this limit all waiting
/// calls would go out at once, before the first answer reports how much is left.
void ApiBudget::begin_windows(Standing& standing, BootTime now) {
    std::erase_if(standing.limits,
                  [&](const Limit& limit) { return limit.resets <= now && limit.quota == 0; });
    for (Limit& limit : standing.limits) {
        if (limit.resets > now) continue;
        limit.allowed = half_of(limit.quota);
        limit.resets = now + limit.window;
    }
}

/// Waits until Cloudflare allows the credential `calls` calls with `kept` left after them.
void ApiBudget::wait_for_credential(Admission& admission, const Standing& standing,
                                    std::size_t calls, std::size_t kept) {
    wait_until(admission, standing.quiet_until,
               "Cloudflare limits the calls of this API token's user (HTTP 429, or code 971)");
    for (const Limit& limit : standing.limits) {
        if (limit.allowed < least_for(limit.quota, calls, kept)) {
            wait_until(
                admission, limit.resets,
                "keyturn has used its share, half of the calls that Cloudflare says are left");
        }
    }
}

/// Waits until the budget of the whole daemon allows `calls` calls with `kept` left after them.
void ApiBudget::wait_for_budget(Admission& admission, std::size_t calls, std::size_t kept) const {
    const std::size_t wanted = calls_.size() + calls + kept;
    if (wanted <= budget_calls_max) return;
    const Call& in_the_way = calls_[wanted - budget_calls_max - 1];
    wait_until(admission, in_the_way.when + budget_window,
               "keyturn has used its share, half of the calls that Cloudflare allows in 5 minutes");
}

void ApiBudget::forget_old_calls(BootTime now) {
    while (!calls_.empty() && calls_.front().when + budget_window <= now) calls_.pop_front();
}

}  // namespace keyturn
