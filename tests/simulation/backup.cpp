// A person loses what keyturnd has on the disk, or restores an earlier copy.

#include "simulation/simulation.hpp"

namespace keyturn::simulation {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr double token_files_stay = 0.4;
constexpr double no_backup = 0.3;

}  // namespace

void TunnelModel::lose_state(BootTime now) {
    advance(now);
    Dice& dice = shared_.chance.dice();
    const bool gone = !backup_ || dice.happens(no_backup);
    DiskModel before = gone ? DiskModel{} : *backup_;
    const bool files_stay = dice.happens(token_files_stay);
    if (files_stay) before.token_file = disk_.token_file;
    if (files_stay && gone) {
        before.staged = disk_.staged;
        before.kept = disk_.kept;
    }
    disk_ = std::move(before);
    invariants_.state_lost();
}

void TunnelModel::write_lost_token_file() {
    const Result<SecretId> shown = read_api();
    if (!shown) return;
    static_cast<void>(disk_operation([&] { disk_.token_file = *shown; }));
}

/// What keyturnd reported and did earlier no longer applies to what is on the disk.
void Invariants::state_lost() {
    restored_ = true;
    sent_.clear();
    made_.clear();  // Until keyturnd makes another secret, only the API knows its own.
    leaked_
        .clear();  // A backup may be from an earlier compromise, whose new token has leaked since.
    verified_at_.clear();
    promoted_.clear();
    noted_.clear();
    restarts_.clear();
    file_change_.reset();
    allowed_ = true;  // As it was when that record passed its preflight.
    // A person may have accepted that token when the record was written.
    if (disk_.record && disk_.record->foreign && disk_.record->phase == Phase::commit) {
        retried_ = true;
    }
    if (!disk_.record || !disk_.record->hold) held_unit_.reset();
}

/// keyturnd is stopped before this and started after it.
void Simulation::lose_state() {
    tell("keyturnd's state is lost, or restored from a backup");
    scenario_.record = nullptr;  // Later events would contradict the ones recorded so far.
    for (Tunnel& tunnel : tunnels_) {
        tunnel.model.lose_state(now_);
        tunnel.unsure = true;
        tunnel.from_backup = tunnel.model.disk().record.has_value();
    }
    if (daemon_up_) kill_daemon(dice_.between(seconds{1}, minutes{5}));
}

}  // namespace keyturn::simulation
