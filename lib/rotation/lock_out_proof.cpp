#include "rotation/lock_out_proof.hpp"

#include "rotation/attached.hpp"
#include "rotation/eviction.hpp"
#include "rotation/proof.hpp"
#include "rotation/token_watch.hpp"
#include "rotation/verification.hpp"

#include <map>

namespace keyturn {

namespace {

/// How long Cloudflare may keep listing a dropped connector.
constexpr Milliseconds lockout_deadline = std::chrono::minutes{2};

/// How long a unit may be silent at the end before doubtful connectors are dropped once more.
constexpr Milliseconds doubt_patience = std::chrono::seconds{10};

/// A connector that is still listed this long after being dropped has reconnected with the new
/// token.
constexpr Milliseconds comeback_max = std::chrono::seconds{30};

/// The doubtful connectors of one lock-out: since when each is in doubt, and which were dropped.
class Doubts {
  public:
    /// Takes the doubtful connectors of the newest list. Returns those that have to be dropped now.
    std::vector<Connector> look(const std::vector<Connector>& doubtful, BootTime now) {
        std::vector<Connector> going;
        open_ = false;
        std::erase_if(since_, [&](const auto& one) { return !lists(doubtful, one.first); });
        for (const Connector& connector : doubtful) {
            const auto before = dropped_.find(connector.id);
            const bool settled = before != dropped_.end() && now - before->second >= comeback_max;
            open_ = open_ || !settled;
            // The list may be older than the units' reports, but the next list is not.
            const BootTime since = since_.try_emplace(connector.id, now).first->second;
            if (before == dropped_.end() && now - since >= doubt_patience) {
                dropped_.emplace(connector.id, now);
                going.push_back(connector);
            }
        }
        return going;
    }

    /// True if it is unknown whether a connector of that list is ours.
    [[nodiscard]] bool open() const { return open_; }

  private:
    std::map<std::string, BootTime> since_;
    std::map<std::string, BootTime> dropped_;
    bool open_ = false;
};

}  // namespace

Script<> LockOutProof::await() {
    BootTime deadline = now_ + lockout_deadline;
    Doubts doubts;
    int clean = 0;
    begin_step(lockout_deadline);
    for (;;) {
        const std::size_t waits = waits_;
        const std::vector<Connector> connectors = co_await list_connectors();
        const SampleUnits::Value samples = co_await sample();
        if (waits_ != waits) deadline = now_ + lockout_deadline;
        const Attached attached = eviction_.sort_out(connectors, samples);
        const std::vector<std::string> absent = units_absent_from(record_, connectors);
        if (const auto replaced = replaced_among(absent, samples)) {
            co_await proof_.prove_replacement(*replaced);
            begin_step(lockout_deadline);
            deadline = now_ + lockout_deadline;
            continue;
        }
        const std::vector<Connector> going = doubts.look(attached.doubtful, now_);
        clean = attached.strangers.empty() && !doubts.open() && absent.empty() ? clean + 1 : 0;
        if (clean == 2) break;
        for (const Connector& stranger : attached.strangers) {
            co_await eviction_.drop(stranger, true);
        }
        for (const Connector& connector : going) co_await eviction_.drop(connector, false);
        if (now_ >= deadline) co_await hold_for_lock_out(absent);
        co_await sleep_for(list_interval);
    }
    end_step();
    // Had somebody else set another secret meanwhile, a stranger could have come back with it.
    const bool still_ours = co_await token_.still_ours();
    if (!still_ours) co_await start_over();
    context_.strangers.clear();
    // The wall clock may have been set back in the meantime.
    const Milliseconds took = wall_now_ - record_.started;
    if (took >= Milliseconds{0}) view_.lock_out.after = took;
    say(EventKind::locked_out, Priority::notice,
        lock_out_sentence(inputs_.policy.name, view_.lock_out), {}, "done");
}

Never LockOutProof::hold_for_lock_out(const std::vector<std::string>& absent) {
    return hold(HoldReason::not_locked_out,
                "Cloudflare lists other connectors, or not all of our own",
                absent.empty() ? "" : absent.front());
}

/// One of these units that serves as another process than the verified one.
std::optional<std::string> LockOutProof::replaced_among(const std::vector<std::string>& units,
                                                        const SampleUnits::Value& samples) const {
    for (const std::string& unit : units) {
        const std::size_t index = record_.index_of(unit);
        if (runs_as_another(record_.units[index], samples[index])) return unit;
    }
    return std::nullopt;
}

std::string lock_out_sentence(const std::string& tunnel, const LockOut& lock_out) {
    std::string text = fmt::format("Cloudflare lists only connectors of the units of {}", tunnel);
    if (lock_out.after)
        text += fmt::format(", {} after the rotation started", to_text(*lock_out.after));
    if (lock_out.outage)
        text += fmt::format("; none of them was connected for {}", to_text(*lock_out.outage));
    return text;
}

}  // namespace keyturn
