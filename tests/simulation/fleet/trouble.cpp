#include "simulation/fleet/trouble.hpp"

#include "fleet/document_text.hpp"
#include "simulation/fleet/quick_texts.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn::fleet_simulation {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* thieves_keys =
    "k1 ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

}  // namespace

void Trouble::begin() {
    const std::vector<std::pair<Kind, double>> all{{&Trouble::kill, 0.8},
                                                   {&Trouble::stop, 0.5},
                                                   {&Trouble::cut_store, 0.5},
                                                   {&Trouble::cut_cloud, 0.5},
                                                   {&Trouble::cut_both, 0.3},
                                                   {&Trouble::store_down, 0.4},
                                                   {&Trouble::cloud_down, 0.4},
                                                   {&Trouble::crash_unit, 0.5},
                                                   {&Trouble::decay, 0.5},
                                                   {&Trouble::break_unit, 0.3},
                                                   {&Trouble::cut_power, 0.3},
                                                   {&Trouble::cut_all_power, 0.2},
                                                   {&Trouble::lose_host, 0.2},
                                                   {&Trouble::old_disk, 0.15},
                                                   {&Trouble::clone, 0.15},
                                                   {&Trouble::tamper, 0.25},
                                                   {&Trouble::foreign_rotation, 0.15},
                                                   {&Trouble::evict, 0.2}};
    Dice& dice = world_.dice;
    const bool calm = dice.happens(0.1);
    for (const auto& [kind, probability] : all) {
        if (!calm && dice.happens(probability)) kinds_.push_back(kind);
    }
    interval_ = dice.between(seconds{10}, minutes{4});
    const double deadliness = dice.happens(0.5) ? 0.02 * dice.fraction() : 0;
    for (const auto& host : fleet_.hosts) host->deadliness = deadliness;
    backups_.clear();
    strike();
}

void Trouble::strike() {
    const Milliseconds mean = interval_;
    world_.after(world_.dice.between(Milliseconds{1}, 2 * mean), [this] {
        if (!world_.storm) return;
        if (!kinds_.empty()) {
            const int last = static_cast<int>(kinds_.size()) - 1;
            const Kind kind = kinds_.at(static_cast<std::size_t>(world_.dice.between(0, last)));
            ++world_.faults;
            (this->*kind)();
        }
        if (world_.dice.happens(0.1)) old_texts_.push_back(fleet_.store.text());
        strike();
    });
}

UnitModel& Trouble::any_unit() {
    Host& host = fleet_.any_host();
    return *host.units.at(
        static_cast<std::size_t>(world_.dice.between(0, static_cast<int>(host.units.size()) - 1)));
}

void Trouble::kill() {
    world_.saw("keyturnd killed");
    fleet_.any_host().die(world_.dice.happens(0.7) ? world_.dice.between(seconds{1}, seconds{20})
                                                   : world_.dice.between(seconds{20}, minutes{4}));
}

void Trouble::stop() {
    world_.saw("keyturnd stopped and continued");
    fleet_.any_host().stop_for(world_.dice.between(seconds{2}, minutes{5}));
}

void Trouble::cut(Server server, Host& host) {
    const Milliseconds time = world_.dice.between(seconds{2}, minutes{4});
    host.cut_until.at(static_cast<std::size_t>(server)) = world_.now() + time;
    world_.tell(fmt::format("{}: cut off from {} for {}", host.label(),
                            server == Server::store ? "the store" : "Cloudflare", to_text(time)));
}

void Trouble::cut_store() {
    world_.saw("host cut off from the store");
    cut(Server::store, fleet_.any_host());
}

void Trouble::cut_cloud() {
    world_.saw("host cut off from Cloudflare");
    cut(Server::cloud, fleet_.any_host());
}

void Trouble::cut_both() {
    world_.saw("host cut off from both");
    Host& host = fleet_.any_host();
    cut(Server::store, host);
    cut(Server::cloud, host);
}

Milliseconds Trouble::outage() {
    return world_.dice.between(seconds{2}, minutes{world_.dice.happens(0.1) ? 15 : 3});
}

void Trouble::store_down() {
    world_.saw("store down");
    world_.tell("the store is down");
    fleet_.store.down_until = world_.now() + outage();
}

void Trouble::cloud_down() {
    world_.saw("Cloudflare down");
    world_.tell("Cloudflare is down");
    fleet_.cloud.down_until = world_.now() + outage();
}

void Trouble::crash_unit() {
    UnitModel& unit = any_unit();
    world_.saw("unit crashed");
    world_.tell(unit.full_name() + " crashes");
    unit.crash();
}

void Trouble::decay() {
    world_.saw("connections lost");
    UnitModel& unit = any_unit();
    for (int i = world_.dice.between(1, 4); i > 0; --i) {
        world_.after(world_.dice.between(seconds{0}, seconds{40}),
                     [&unit] { unit.lose_connection(); });
    }
}

/// A person repairs it some time later.
void Trouble::break_unit() {
    world_.saw("unit that does not start any more");
    UnitModel& unit = any_unit();
    unit.broken = true;
    unit.gives_up = world_.dice.happens(0.5);
    world_.tell(unit.full_name() + " does not start any more");
    world_.after(world_.dice.between(minutes{1}, minutes{6}), [&unit] { unit.repair(); });
}

void Trouble::reboot(Host& host) {
    if (host.lost()) return;
    host.cut_power();
    world_.after(world_.dice.between(seconds{5}, minutes{2}), [&host] {
        if (!host.alive()) host.power_up();
    });
}

void Trouble::cut_power() {
    world_.saw("host without power");
    reboot(fleet_.any_host());
}

void Trouble::cut_all_power() {
    world_.saw("all hosts without power");
    for (const auto& host : fleet_.hosts) reboot(*host);
}

/// At least two hosts stay, and one of them may lead.
void Trouble::lose_host() {
    if (lost_one_ || fleet_.hosts.size() < 3) return;
    lost_one_ = true;
    world_.saw("host lost for ever");
    Host& host = fleet_.any_host();
    world_.tell(host.label() + " is lost for ever");
    host.lose();
}

/// A backup of the whole disk is put back. Nobody can notice that if the object is as old.
void Trouble::old_disk() {
    if (fleet_.store.tampered()) return;
    Host& host = fleet_.any_host();
    const auto backup = backups_.find(host.label());
    if (host.lost()) return;
    if (backup == backups_.end()) {
        backups_[host.label()] = host.disk;
        return;
    }
    if (backup->second.memory.install != host.disk.memory.install) {
        backups_.erase(backup);
        return;
    }
    world_.saw("host with an old disk");
    world_.tell(host.label() + " comes back with an old disk");
    host.cut_power();
    ++old_disks_;
    world_.after(seconds{10}, [this, &host, disk = backup->second] {
        --old_disks_;
        if (host.lost() || host.disk.memory.install != disk.memory.install) return;
        if (host.alive()) return;
        host.disk = disk;
        host.power_up();
    });
    backups_.erase(backup);
}

void Trouble::clone() {
    if (fleet_.clone) return;
    Host& host = fleet_.any_host();
    if (host.lost()) return;
    world_.saw("clone of a host");
    world_.tell(host.label() + " is cloned");
    fleet_.cloned = &host;
    fleet_.clone = std::make_unique<Host>(
        Surroundings{world_, fleet_.store, fleet_.cloud, fleet_.keys, fleet_.invariants},
        host.name() + "'", 100, host.eligible());
    for (const auto& unit : host.units) {
        fleet_.clone->units.push_back(std::make_unique<UnitModel>(*fleet_.clone, unit->name()));
    }
    fleet_.clone->disk = host.disk;
    fleet_.cloud.hosts.push_back(fleet_.clone.get());
    fleet_.clone->power_up();
}

std::string Trouble::tampered_text() {
    std::string text = fleet_.store.text();
    if (world_.dice.happens(0.4)) {
        text.at(static_cast<std::size_t>(
            world_.dice.between(0, static_cast<int>(text.size()) - 1))) ^= 1;
        return text;
    }
    FleetDocument forged = fleet_.store.document();
    ++forged.rev;
    forged.deliver = "0123456789abcdef";
    return *full_text(forged, *FleetKeys::read(thieves_keys));
}

void Trouble::tamper() {
    StoreModel& store = fleet_.store;
    if (store.tampered() || old_disks_ > 0) return;
    std::uint64_t seen = store.document().rev;
    for (const auto& host : fleet_.hosts) seen = std::min(seen, host->disk.memory.rev);
    if (fleet_.clone) seen = std::min(seen, fleet_.clone->disk.memory.rev);
    std::erase_if(old_texts_, [&](const std::string& text) {
        const auto old = read_fleet_text(text, fleet_.read_keys, {tunnel_id, {}});
        return !old || old->rev >= seen;
    });
    const bool goes_back = !old_texts_.empty() && world_.dice.happens(0.5);
    if (goes_back) {
        world_.saw("object rolled back");
        store.tamper(old_texts_.back());
    } else if (world_.dice.happens(0.5)) {
        world_.saw("object deleted");
        store.tamper(std::nullopt);
    } else {
        world_.saw("object forged or damaged");
        store.tamper(tampered_text());
    }
    world_.tell("the object is tampered with");
    world_.after(world_.dice.between(seconds{5}, minutes{3}), [this, &store] {
        store.end_tampering();
        world_.tell("the object is the right one again");
    });
}

void Trouble::foreign_rotation() {
    world_.saw("secret changed by somebody else");
    world_.tell("somebody else rotates");
    fleet_.cloud.rotate_by_somebody_else();
}

void Trouble::evict() {
    world_.saw("connector dropped by somebody else");
    UnitModel& unit = any_unit();
    world_.tell(unit.full_name() + " is dropped by Cloudflare");
    unit.be_evicted();
}

void Trouble::end() {
    world_.storm = false;
    world_.tell("--- quiet ---");
    fleet_.store.down_until = {};
    fleet_.cloud.down_until = {};
    fleet_.store.end_tampering();
    for (const auto& host : fleet_.hosts) {
        host->cut_until = {};
        host->deadliness = 0;
        for (const auto& unit : host->units) {
            if (unit->broken) unit->repair();
        }
    }
}

}  // namespace keyturn::fleet_simulation
