#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"
#include "time/moment.hpp"

#include <string>

namespace keyturn {

/// Names one content of the object: an ETag or a revision of the store. Never looked into. Empty:
/// the object does not exist.
using ObjectVersion = std::string;

/// What a read has found.
struct ObjectReading {
    enum class Found {
        absent,     ///< The object does not exist.
        unchanged,  ///< It still has the version that the caller knows.
        present,    ///< `text` and `version` are what it contains now.
    };

    Found found = Found::absent;
    std::string text;
    ObjectVersion version;

    bool operator==(const ObjectReading&) const = default;
};

/// One small text that several hosts share. It changes only by compare-and-swap.
///
/// Faults of every call: `unreachable` if the store certainly did not act (no connection, no
/// permission to send yet), `busy` if it said "later", with `retry_after`; `denied` if it refuses
/// the credential; `invalid` if its answer makes no sense, or it cannot do what is needed;
/// `missing` if the place where the object belongs does not exist (the bucket). The text names the
/// store, never a secret.
class SharedObject {
  public:
    virtual ~SharedObject() = default;

    /// Reads the newest content: a read that begins after a swap has ended sees it. `known` saves
    /// the transfer if nothing has changed; it may be empty.
    virtual Task<Result<ObjectReading>> read(ObjectVersion known) = 0;

    /// Replaces the content if it still has the version `from`; creates the object if `from` is
    /// empty and it does not exist. Returns the new version.
    ///
    /// Fails with `conflict` if somebody else was faster, and with `ambiguous` if nobody knows
    /// whether it happened: it may also happen later. Is never repeated by itself.
    virtual Task<Result<ObjectVersion>> swap(ObjectVersion from, std::string text) = 0;

    /// Returns at a change from `known`, at `until`, or earlier for no reason. A hint that saves
    /// time: whoever needs to know reads.
    virtual Task<> wait_for_change(ObjectVersion known, BootTime until) = 0;

    /// Proves with a scratch object that the store obeys conditions. Fails with `invalid` if it
    /// does not: a swap that always succeeds is worse than none. `scratch` tells the scratch
    /// objects of several hosts apart: letters, digits and "-".
    virtual Task<Result<void>> check_conditions(std::string scratch) = 0;
};

/// A text of this size or larger is refused, in each direction: something else lies there.
inline constexpr std::size_t object_bytes_max = 64 * 1024;

}  // namespace keyturn
