// After a compromise whoever is attached and is not ours has to go, and in time.

#include "simulation/invariants.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn::simulation {

namespace {

using std::chrono::seconds;

/// keyturn promises that what is not surely ours goes this long after the new secret.
constexpr Milliseconds doubt_promised = seconds{30};

/// A stranger is gone after this at the latest, of the time in which nothing was in the way. To
/// the promise come two of the heart's looks, each 2 s from the next, and one lag of the edge, in
/// which whoever is dropped is back. Failed calls, restarts that are not allowed and jobs of
/// systemd do not count, and strangers are listed at once: only for units of ours the list is
/// behind.
constexpr Milliseconds look_interval = seconds{2};
constexpr Milliseconds attached_max = doubt_promised + 2 * look_interval + edge_lag_max;

}  // namespace

/// Counts while it is the heart's task: to drop strangers once the new token is delivered, and
/// those who came back in the lag of the edge at the end. It is given its time anew with each
/// start, as nothing on the disk says what was seen of the units before.
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
        broken("I5", fmt::format("a stranger is attached for {} after a compromise, and nothing "
                                 "was in the way",
                                 to_text(attached_)));
    }
}

/// What the record says of strangers is so, whatever the edge has made of it.
void Invariants::check_dropped() const {
    const RotationRecord& record = *disk_.record;
    if (!record.compromised() || !record.evicted || restored_ || dropped_.contains("")) return;
    for (const CloudModel::Foreign& foreign : cloud_.foreign()) {
        if (dropped_.contains(foreign.connector)) continue;
        broken("I5", foreign.connector + " is attached, and nobody has asked to drop it");
    }
}

}  // namespace keyturn::simulation
