#include "simulation/fleet/fleet_model.hpp"

#include "model/unit_command.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn::fleet_simulation {

namespace {

using std::chrono::hours;

constexpr const char* keys_text =
    "k1 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";

std::string hex_32(Dice& dice) {
    return fmt::format("{:016x}{:016x}", dice.roll(), dice.roll());
}

}  // namespace

FleetModel::FleetModel(std::uint64_t seed, Seen& seen, const Tell& tell)
    : world(seed, seen, tell),
      keys(keys_text),
      read_keys(*FleetKeys::read(keys)),
      store(world, read_keys),
      cloud(world),
      invariants(world, store, cloud) {
    store.on_write = [this](const Host* by, const FleetDocument& before,
                            const FleetDocument& after) {
        invariants.on_write(by, before, after);
        if (after.turns != before.turns) stop_who_takes(by, after);
    };
}

/// The moment in which a pause does the most harm.
void FleetModel::stop_who_takes(const Host* by, const FleetDocument& document) {
    const auto host = std::ranges::find(hosts, by, &std::unique_ptr<Host>::get);
    if (host == hosts.end()) return;
    const bool has_turn = std::ranges::any_of(document.turns, [&](const FleetTurn& turn) {
        return turn.state == TurnState::taken && host_of(turn.unit) == by->name();
    });
    if (!has_turn || !world.strikes(0.01, "stopped with its turn")) return;
    (*host)->stop_for(world.dice.between(std::chrono::seconds{5}, std::chrono::minutes{3}));
}

void FleetModel::set_up() {
    Dice& dice = world.dice;
    const int count = dice.between(2, 4);
    FleetDocument document;
    document.fleet = hex_32(dice);
    document.account = account_id;
    document.tunnel = tunnel_id;
    document.writer = "a";
    document.deliver = cloud.held();
    document.state.first_seen = world.clock.true_now();
    document.state.delivered = cloud.held();
    for (int i = 0; i < count; ++i) {
        const std::string name(1, static_cast<char>('a' + i));
        const bool eligible = i < 2 || dice.happens(0.5);
        auto host = std::make_unique<Host>(Surroundings{world, store, cloud, keys, invariants},
                                           name, i + 1, eligible);
        host->disk.file = cloud.text_of(cloud.held());
        host->disk.holds = cloud.held();
        host->disk.memory.install = hex_32(dice);
        host->disk.memory.fleet = document.fleet;
        host->disk.memory.mark = fmt::format("{:016x}", dice.roll());
        if (dice.happens(0.2)) {
            host->clock_error = dice.between(-hours{1}, hours{1});
            world.saw("host with a wrong clock");
        }
        for (int unit = 0; unit < dice.between(1, 2); ++unit) {
            host->units.push_back(std::make_unique<UnitModel>(
                *host, fmt::format("cloudflared-{}.service", unit + 1)));
        }
        document.members[name] = host->entry();
        cloud.hosts.push_back(host.get());
        hosts.push_back(std::move(host));
    }
    make_one_strict(document);
    store.write_directly(std::move(document));
    for (const auto& host : hosts) host->power_up();
}

/// One host wants more units to serve than the others do, if that is possible without any host.
void FleetModel::make_one_strict(FleetDocument& document) {
    std::size_t all = 0;
    std::size_t most = 0;
    for (const auto& host : hosts) {
        all += host->units.size();
        most = std::max(most, host->units.size());
    }
    if (all - most < 3 || !world.dice.happens(0.5)) return;
    Host& strict = any_host();
    strict.min_available = 2;
    document.members[strict.name()] = strict.entry();
    world.saw("host with another min_available");
}

std::vector<Host*> FleetModel::living() {
    std::vector<Host*> living;
    for (const auto& host : hosts) {
        if (host->alive() && !host->stopped()) living.push_back(host.get());
    }
    return living;
}

Host* FleetModel::any_living() {
    const std::vector<Host*> all = living();
    if (all.empty()) return nullptr;
    return all.at(
        static_cast<std::size_t>(world.dice.between(0, static_cast<int>(all.size()) - 1)));
}

Host* FleetModel::named(const std::string& host) {
    for (const auto& candidate : hosts) {
        if (candidate->name() == host) return candidate.get();
    }
    return nullptr;
}

}  // namespace keyturn::fleet_simulation
