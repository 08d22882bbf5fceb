#include "waves/wave_log.hpp"

#include "waves/wave_gate.hpp"

#include <fmt/format.h>

#include <utility>

namespace keyturn {

void WaveLog::record(const Event& event) {
    Event told = event;
    if (event.kind == EventKind::unit_restarting) {
        restarts_[event.target_unit] = event;
        return;
    }
    if (event.kind == EventKind::rotation_waiting && !waits_.empty()) {
        told.priority = Priority::notice;
        told.message = fmt::format("The rotation of {} waits for the other hosts: {}",
                                   event.tunnel_name, waits_);
        log_.record(told);
        told_wait_ = told;
        told_end_ = false;
        return;
    }
    if (event.kind == EventKind::rotation_held) told_wait_.reset();
    const bool told_already = event.kind == EventKind::rotation_continued && told_end_;
    if (told_already) {
        told_end_ = false;
        return;
    }
    if (event.kind == EventKind::foreign_rotation && !gate_.leads()) {
        told.priority = Priority::notice;
        told.message = fmt::format(
            "The token of {} has changed, as it does when {} rotates it: this host takes over the "
            "token {}",
            event.tunnel_name, gate_.hosts().front().host, event.fingerprint);
    }
    log_.record(told);
}

void WaveLog::release(const std::string& unit) {
    waits_.clear();
    tell_end_of_wait();
    const auto found = restarts_.find(unit);
    if (found == restarts_.end()) return;
    log_.record(found->second);
    restarts_.erase(found);
}

void WaveLog::tell_end_of_wait() {
    if (!told_wait_) return;
    Event end = *std::exchange(told_wait_, std::nullopt);
    end.kind = EventKind::rotation_continued;
    end.result.clear();
    end.message =
        fmt::format("It is the turn of this host: the rotation of {} continues", end.tunnel_name);
    log_.record(end);
    told_end_ = true;
}

}  // namespace keyturn
