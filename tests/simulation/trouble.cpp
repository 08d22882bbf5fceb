// Other trouble around a tunnel: what cannot be seen, changed files, a network that is down.

#include "simulation/tunnel_model.hpp"

#include <utility>

namespace keyturn::simulation {

namespace {

using std::chrono::minutes;

constexpr double all_at_once = 0.3;
constexpr double for_hours = 0.05;
constexpr Milliseconds hidden_min = minutes{1};
constexpr Milliseconds hidden_max = minutes{10};
constexpr Milliseconds hidden_long = minutes{90};
constexpr double file_emptied = 0.5;

}  // namespace

/// If the host does not reach the edge, every connection is lost.
void TunnelModel::reach_the_edge() {
    const bool reachable = !shared_.network.down(now_);
    const bool lost = cloud_.reachable() && !reachable;
    cloud_.set_reachable(reachable);
    if (!lost) return;
    for (UnitModel& unit : units_) {
        unit.advance(now_);
        unit.drop_all();
    }
}

void TunnelModel::hide_metrics() {
    Dice& dice = shared_.chance.dice();
    const bool is_long = dice.happens(for_hours);
    const BootTime until = now_ + (is_long ? dice.between(hidden_max, hidden_long)
                                           : dice.between(hidden_min, hidden_max));
    const bool all = dice.happens(all_at_once);
    const int one = dice.between(0, static_cast<int>(units_.size()) - 1);
    for (std::size_t i = 0; i < units_.size(); ++i) {
        if (all || static_cast<int>(i) == one) units_[i].hide(until);
    }
}

void TunnelModel::change_token_file(BootTime now) {
    advance(now);
    Dice& dice = shared_.chance.dice();
    const SecretId old = dice.between(1, next_secret_ - 1);
    const bool empty = dice.happens(file_emptied);
    // A process that connects with a dead token while the edge lags cannot be told from the others.
    const bool passes = !empty && old != cloud_.current() && cloud_.accepts(old, now);
    const SecretId before = std::exchange(disk_.token_file, empty || passes ? 0 : old);
    invariants_.file_changed(before);
}

void TunnelModel::move_units(const RotationRequest& request, bool back) {
    const bool onto_the_file = (request.kind == RotationKind::adopt) != back;
    for (UnitModel& unit : units_) {
        if (is_surge(unit) || !request.moves(unit.name())) continue;
        if (onto_the_file) unit.bring_in();
        if (!onto_the_file) unit.set_apart(cloud_.current());
    }
}

void TunnelModel::bring_all_in() {
    for (UnitModel& unit : units_) {
        if (unit.is_apart()) unit.bring_in();
    }
}

void TunnelModel::forget_token_file_somewhere() {
    const int one = shared_.chance.dice().between(0, static_cast<int>(policy_.units.size()) - 1);
    units_[static_cast<std::size_t>(one)].forget_token_file();
}

}  // namespace keyturn::simulation
