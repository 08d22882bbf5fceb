#pragma once

#include "base/error.hpp"
#include "model/connector.hpp"
#include "policy/policy.hpp"
#include "time/moment.hpp"
#include "token/token.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// What a host must not forget about the last change of the token, on its own disk.
struct WaveMemories {
    Fingerprint token;                 ///< That this host delivered last; empty: none yet.
    std::vector<std::string> earlier;  ///< Connectors that were listed right after the delivery.
    bool settled = true;               ///< There are no more of them to come.
    bool done = true;                  ///< The units of this host have the token.
    bool overtaken = false;            ///< It changed before they had the one before it.

    bool operator==(const WaveMemories&) const = default;
};

/// The times of the waves, so that tests can shorten them. Nothing here compares the clocks of two
/// hosts.
struct WaveTimes {
    Milliseconds list = std::chrono::seconds{15};          ///< Between two lists, at least.
    Milliseconds list_per_host = std::chrono::seconds{2};  ///< So many hosts share the API budget.
    Milliseconds list_age = std::chrono::seconds{2};  ///< Of the one before a restart, at most.
    /// How long the connectors of all other hosts stay the same before a unit restarts.
    Milliseconds steady = std::chrono::seconds{15};
    /// How much Cloudflare's list may be behind.
    Milliseconds late = std::chrono::seconds{30};
    /// Hosts look for a change every `drift.interval`. How much longer the first host waits for
    /// them before it restarts anything.
    Milliseconds first_host = std::chrono::seconds{90};

    /// The same times, all longer or shorter.
    [[nodiscard]] WaveTimes scaled(double factor) const;
};

/// Decides when a unit of this host may restart after the token has changed, from what Cloudflare
/// lists. The hosts restart in the order of the policy, one after the other, and nothing else
/// connects them.
///
/// The old token opens no connection after the change. So a connector that was not listed while
/// this host delivered the new token, and some seconds later, proves that its unit has read it.
class WaveGate {
  public:
    struct Verdict {
        enum class Kind {
            open,     ///< It may restart now.
            closed,   ///< Not yet; ask again after `Error::retry_after`.
            refused,  ///< A person has to decide; see `acknowledge`.
        };
        Kind kind = Kind::closed;
        Error error;  ///< Why not: `busy`, `conflict` or `silent`.
    };

    /// `policy` is the tunnel's, with its `hosts`; `own` is the index of this one. `policy` must
    /// outlive the gate.
    WaveGate(const TunnelPolicy& policy, std::size_t own, WaveTimes times, WaveMemories memories);

    /// False after another token was delivered, until `begin`.
    [[nodiscard]] bool knows(const Fingerprint& delivered) const {
        return memories_.token == delivered;
    }

    /// The tunnel is idle on this token. Of earlier changes nothing needs to be known.
    void settle_on(const Fingerprint& delivered);

    /// Who has changed the token.
    enum class Author { this_host, somebody_else };

    /// Another token was delivered; `listed` is Cloudflare's list since then.
    void begin(const Fingerprint& delivered, Author author, const std::vector<Connector>& listed,
               BootTime now);

    /// The units of this host have the token.
    void finish() { memories_.done = true; }

    /// Takes in another list.
    void look(const std::vector<Connector>& listed, BootTime now);

    /// True if a decision needs another list. Right before a restart it is a fresh one.
    [[nodiscard]] bool wants_a_list(BootTime now) const;

    /// True if the next list is the last one whose connectors may have the old token. It is due
    /// soon after the delivery, however long this host then waits for its turn.
    [[nodiscard]] bool wants_to_settle(BootTime now) const {
        return !memories_.settled && (!began_ || now - *began_ >= times_.late);
    }

    [[nodiscard]] Verdict may_restart(BootTime now);

    /// A person has decided that this host goes on: after a second change, in order; after a wait
    /// without progress, without the proof that the hosts before it have the token. The other hosts
    /// must serve all the same.
    void acknowledge();

    /// Why this host should not change the token now; nothing if it may.
    [[nodiscard]] std::optional<std::string> reason_not_to_rotate() const;

    /// How long a host waits without progress of the others, and then asks a person.
    [[nodiscard]] Milliseconds patience() const {
        return policy_.rollout.progress_deadline + policy_.drift.interval;
    }

    /// The other hosts that are not known to have restarted for the last change, one sentence each.
    [[nodiscard]] std::vector<std::string> laggards() const;

    /// The hosts that serve with fewer units than they should, one sentence each.
    [[nodiscard]] std::vector<std::string> absences() const;

    /// The hosts that have more connectors than they should, one sentence each.
    [[nodiscard]] std::vector<std::string> surpluses() const;

    /// Between two lists.
    [[nodiscard]] Milliseconds list_interval() const;

    /// How the hosts are, one line each.
    [[nodiscard]] std::string describe() const;

    [[nodiscard]] const WaveMemories& memories() const { return memories_; }
    [[nodiscard]] const std::vector<KnownHost>& hosts() const { return policy_.coordinator->hosts; }
    [[nodiscard]] std::size_t own() const { return own_; }
    /// This host rotates the token.
    [[nodiscard]] bool leads() const { return own_ == 0; }

  private:
    /// What Cloudflare lists of one host.
    struct Seen {
        std::vector<std::string> connectors;  ///< Ids, sorted.
        int later = 0;                        ///< How many of them were not listed at the change.

        bool operator==(const Seen&) const = default;
    };

    /// The gate is closed, and no other host has come further.
    struct Wait {
        BootTime since{};
        int progress = 0;  ///< See `progress()`.
    };

    void note_earlier(const std::vector<Connector>& listed, BootTime now);
    void note_progress(BootTime now);
    [[nodiscard]] bool others_are_later() const;
    [[nodiscard]] int progress() const;
    /// The hosts before this one restart first.
    [[nodiscard]] bool in_order() const { return !memories_.done && !memories_.earlier.empty(); }
    [[nodiscard]] bool steady() const;
    [[nodiscard]] std::optional<std::string> why_not_yet(BootTime now) const;
    [[nodiscard]] std::optional<std::string> earlier_host_lacking() const;

    const TunnelPolicy& policy_;
    std::size_t own_;
    WaveTimes times_;
    WaveMemories memories_;
    std::vector<Seen> seen_;         ///< Of each host; empty before the first list.
    BootTime listed_at_{};           ///< When the last list came.
    BootTime steady_since_{};        ///< Since when the other hosts have been the same.
    std::optional<BootTime> began_;  ///< When this process learned of the last change.
    std::optional<Wait> wait_;
    BootTime asked_at_{};                 ///< When a restart was last asked for ...
    std::optional<BootTime> asks_since_;  ///< ... and since when it is, until the gate opens.
};

}  // namespace keyturn
