#pragma once

#include "asio/baton.hpp"
#include "asio/task.hpp"
#include "base/result.hpp"
#include "fleet/document.hpp"
#include "fleet/keys.hpp"
#include "fleet/memory.hpp"
#include "fleet/transitions.hpp"
#include "shared_object/shared_object.hpp"
#include "time/moment.hpp"

#include <optional>
#include <string>

namespace keyturn {

class Clock;
class Random;

/// What a fleet needs from the world. All of it must outlive the fleet.
struct FleetWorld {
    SharedObject& object;
    Clock& clock;
    Random& random;
    FleetMemory& memory;
};

/// The shared object of one tunnel, as one host sees it. The only user of `SharedObject`: knows
/// MAC, revision, nonce and mark, and what to do after a conflict or a lost answer.
///
/// Only one call at a time is under way; others wait for it.
class Fleet {
  public:
    /// `tunnel_name` is the policy's, `tunnel_id` Cloudflare's. `remembered` is what the memory
    /// has.
    Fleet(std::string tunnel_name, std::string tunnel_id, FleetKeys keys, FleetMemories remembered,
          FleetWorld world);

    /// Reads the object. Faults as `SharedObject`; also `missing` if it is gone, `denied` for a key
    /// or MAC that does not fit, `invalid` for a text that is no object of this fleet, or is older
    /// than one that was here before. Whoever gets an error has to leave everything as it is.
    Task<Result<FleetDocument>> look();

    /// Applies a transition and writes the result, again after each conflict. Writes nothing if the
    /// transition changes nothing. `own` is for changes of this host's own entry and turns: the
    /// entry gets a new mark. Faults: those of `look` and of the transition; `busy` if others keep
    /// being faster; `ambiguous` if nobody knows whether it happened: the next call finds out.
    Task<Result<FleetDocument>> change(FleetTransition transition, bool own);

    /// What was seen last; nothing before the first good look.
    [[nodiscard]] const std::optional<FleetDocument>& seen() const { return seen_; }

    /// When the newest good look or change was sent.
    [[nodiscard]] BootTime seen_at() const { return seen_at_; }

    /// True once the object had an entry of this host that this host has not written: there is a
    /// second host with the same identity, or the disk of this one is an old copy.
    [[nodiscard]] bool clashes() const { return clashes_; }

    [[nodiscard]] const std::string& host() const { return remembered_.host; }
    [[nodiscard]] const FleetKeys& keys() const { return keys_; }

    /// Returns at a change, at `until`, or earlier for no reason.
    Task<> wait_for_change(BootTime until);

  private:
    Task<Result<void>> read();
    [[nodiscard]] Result<FleetDocument> understand(const std::string& text) const;
    void take_in(FleetDocument document, ObjectVersion version, BootTime sent);
    void check_mark();
    void remember();
    Task<Result<FleetDocument>> try_change(FleetTransition transition, bool own);
    Task<Result<bool>> try_once(FleetTransition transition, bool own);
    Task<> wait_a_little(std::string nonce, Milliseconds at_least);

    std::string tunnel_name_;
    std::string tunnel_id_;
    FleetKeys keys_;
    FleetMemories remembered_;
    FleetWorld world_;
    std::optional<FleetDocument> seen_;
    ObjectVersion version_;
    BootTime seen_at_{};
    bool outdated_ = true;  ///< Somebody else has written since, or may have.
    Baton baton_;
    bool clashes_ = false;
};

}  // namespace keyturn
