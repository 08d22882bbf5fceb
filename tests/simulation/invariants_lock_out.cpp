// After a compromise, every connector that is not ours must go, and in time.

#include "simulation/invariants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn::simulation {

namespace {

using std::chrono::seconds;

/// keyturn promises to drop doubtful connectors within this time after the new secret.
constexpr Milliseconds doubt_promised = seconds{30};

/// A stranger must be gone after this, counting only the time in which nothing was in the way. The
/// promise is extended by two of the heart's checks, 2 s apart, and one lag of the edge, in which a
/// dropped connector can come back. Failed calls, forbidden restarts and systemd jobs do not count,
/// and strangers are listed at once: the list is behind only for our own units.
constexpr Milliseconds look_interval = seconds{2};
constexpr Milliseconds attached_max = doubt_promised + 2 * look_interval + edge_lag_max;

}  // namespace

/// Counts while it is the heart's task: to drop strangers once the new token is delivered, and at
/// the end those who came back in the lag of the edge. The time starts over with each start of
/// keyturnd, because nothing on the disk says what was seen of the units before.
void Invariants::check_locked_out(const Rotation& rotation, Milliseconds duration, BootTime now) {
    const RotationRecord& record = rotation.record();
    const bool delivered =
        disk_.kept && disk_.kept->fresh == cloud_.current() && disk_.token_file == cloud_.current();
    const bool proves = std::ranges::any_of(
        record.units, [](const UnitProgress& unit) { return unit.step == UnitStep::restarting; });
    const bool at_it = !record.evicted || (record.phase == Phase::finish && !proves);
    const bool failed = std::exchange(call_failed_, false);
    if (!record.compromised() || !delivered || !at_it || !cloud_.stranger_stays(now)) {
        attached_ = Milliseconds{0};
        return;
    }
    if (failed || rotation.view().state == RotationState::held) return;
    attached_ += duration;
    if (attached_ > attached_max) {
        broken("I5",
               fmt::format(
                   "a stranger is connected for {} after a compromise, and nothing was in the way",
                   to_text(attached_)));
    }
}

/// What the record says about strangers is true, whatever the edge does.
void Invariants::check_dropped() const {
    const RotationRecord& record = *disk_.record;
    if (!record.compromised() || !record.evicted || restored_ || dropped_.contains("")) return;
    for (const CloudModel::Foreign& foreign : cloud_.foreign()) {
        if (dropped_.contains(foreign.connector)) continue;
        broken("I5", foreign.connector + " is connected, and nobody has asked to drop it");
    }
}

}  // namespace keyturn::simulation
