#include "fleet/take_over_watch.hpp"

namespace keyturn {

void TakeOverWatch::look(const FleetDocument& document, BootTime now) {
    const bool same = seen_ && seen_->epoch == document.epoch && seen_->lead == document.lead &&
                      seen_->rev == document.rev;
    const bool gap = now - looked_ > times_.take_over_gap;
    if (!same || gap) unchanged_since_ = now;
    looked_ = now;
    if (!same) seen_ = document;
}

std::optional<SilentLead> TakeOverWatch::overdue(const std::string& host, BootTime now) const {
    if (!seen_ || !seen_->state.rotation) return std::nullopt;
    const SilentLead silent{seen_->epoch, seen_->lead};
    // This host led before it was restarted.
    if (seen_->lead && seen_->lead->host == host) return silent;
    const int rank = rank_of(*seen_, host);
    const Milliseconds patience =
        seen_->lead ? times_.take_over + rank * times_.take_over_rank : rank * times_.beat;
    if (now - looked_ > times_.take_over_gap) return std::nullopt;
    if (now - unchanged_since_ < patience) return std::nullopt;
    return silent;
}

int rank_of(const FleetDocument& document, const std::string& host) {
    int rank = 0;
    for (const auto& [name, member] : document.members) {
        if (name == host) break;
        const bool leads = document.lead && document.lead->host == name;
        if (member.eligible && !leads) ++rank;
    }
    return rank;
}

}  // namespace keyturn
