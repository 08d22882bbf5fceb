#include "keyturnd-fleet/places.hpp"

#include "base/short_host_name.hpp"
#include "fleet/memory.hpp"
#include "keyturnd-fleet/stores.hpp"
#include "member/fleet_place.hpp"
#include "token/digest.hpp"
#include "waves/wave_memory.hpp"
#include "waves/wave_place.hpp"

#include <boost/asio/co_spawn.hpp>
#include <fmt/format.h>

#include <charconv>
#include <cstdlib>
#include <exception>
#include <utility>

namespace keyturn {

namespace {

/// Two hosts with other digests have other policies for the tunnel; `fleet status` shows that.
std::string digest_of(const TunnelPolicy& policy) {
    constexpr std::size_t digits = 16;
    return sha256_hex({policy.account, policy.tunnel, std::to_string(policy.rollout.min_available),
                       std::to_string(policy.rollout.batches)})
        .substr(0, digits);
}

/// The command of a call over the bus.
FleetCommand command_of(const FleetCall& call) {
    FleetCommand command;
    if (call.command == "init") command.kind = FleetCommand::Kind::init;
    if (call.command == "join") command.kind = FleetCommand::Kind::join;
    if (call.command == "rejoin") command.kind = FleetCommand::Kind::rejoin;
    if (call.command == "decommission") command.kind = FleetCommand::Kind::decommission;
    if (call.command == "accept") {
        command.kind = FleetCommand::Kind::accept;
        std::from_chars(call.argument.data(), call.argument.data() + call.argument.size(),
                        command.rev);
    } else {
        command.host = call.argument;
    }
    return command;
}

/// Tests shorten all times of several hosts with KEYTURN_FLEET_TIME_SCALE, 0.01 to 1.
template <class Times>
Times times_scaled() {
    constexpr double shortest = 0.01;
    const char* text = std::getenv("KEYTURN_FLEET_TIME_SCALE");
    const double scale = text == nullptr ? 1.0 : std::strtod(text, nullptr);
    return scale >= shortest && scale < 1.0 ? Times().scaled(scale) : Times();
}

/// Why a tunnel takes no command for a fleet.
Error no_place(const ManagedTunnel* tunnel) {
    if (dynamic_cast<const WavePlace*>(tunnel) == nullptr) return no_fleet();
    return Error{Fault::conflict,
                 "with `kind: api` the hosts of a tunnel share nothing, so there is nothing to "
                 "enter or leave: `hosts` in the policy names them",
                 {}};
}

class Places : public Fleets {
  public:
    explicit Places(const FleetsWorld& world)
        : world_(world),
          memory_(make_fleet_memory(world.state_directory)),
          wave_memory_(make_wave_memory(world.state_directory)) {}

    std::unique_ptr<ManagedTunnel> make(TunnelPolicy policy, double splay_share,
                                        const Dependencies& dependencies,
                                        std::function<void(const ManagedTunnel&)> changed) override;
    void act(ManagedTunnel* tunnel, const FleetCall& call, FleetTold told) override;
    [[nodiscard]] Result<std::string> describe(ManagedTunnel* tunnel) const override;

  private:
    [[nodiscard]] Result<FleetParts> parts_of(const TunnelPolicy& policy);

    FleetsWorld world_;
    std::unique_ptr<FleetMemory> memory_;
    std::unique_ptr<WaveMemory> wave_memory_;
    FleetTimes times_ = times_scaled<FleetTimes>();
    WaveTimes wave_times_ = times_scaled<WaveTimes>();
};

std::unique_ptr<ManagedTunnel> Places::make(TunnelPolicy policy, double splay_share,
                                            const Dependencies& dependencies,
                                            std::function<void(const ManagedTunnel&)> changed) {
    if (policy.coordinator->kind == CoordinatorKind::api) {
        return take_place_in_waves(world_.executor, std::move(policy), splay_share, dependencies,
                                   world_.log, std::move(changed), *wave_memory_, wave_times_,
                                   short_host_name());
    }
    FleetPlace::MakeParts make_parts = [this, policy] { return parts_of(policy); };
    return std::make_unique<FleetPlace>(world_.executor, std::move(policy), splay_share,
                                        dependencies, world_.log, std::move(changed), *memory_,
                                        times_, std::move(make_parts));
}

Result<FleetParts> Places::parts_of(const TunnelPolicy& policy) {
    FleetParts parts;
    Result<FleetKeys> keys =
        read_fleet_keys(policy.coordinator->fleet_key, world_.credentials_directory);
    if (!keys) return keys.error();
    parts.keys = std::move(*keys);
    auto object = store_of(policy, world_);
    if (!object) return object.error();
    parts.object = std::move(*object);
    auto memories = memory_->load(policy.name);
    if (!memories) return memories.error();
    parts.memories = std::move(*memories);
    FleetMember& entry = parts.self.entry;
    entry.eligible = policy.coordinator->lead;
    entry.version = KEYTURN_VERSION;
    entry.keys = parts.keys.ids();
    entry.policy = digest_of(policy);
    entry.min_available = policy.rollout.min_available;
    return parts;
}

void Places::act(ManagedTunnel* tunnel, const FleetCall& call, FleetTold told) {
    auto* const place = dynamic_cast<FleetPlace*>(tunnel);
    if (place == nullptr) return told(no_place(tunnel));
    auto report = [told = std::move(told)](std::exception_ptr error, Result<std::string> outcome) {
        if (error) outcome = Error{Fault::cancelled, "keyturnd stops", {}};
        told(outcome);
    };
    boost::asio::co_spawn(world_.executor, place->administer(command_of(call)), std::move(report));
}

Result<std::string> Places::describe(ManagedTunnel* tunnel) const {
    const auto* const place = dynamic_cast<FleetPlace*>(tunnel);
    if (place != nullptr) return place->describe();
    const auto* const waves = dynamic_cast<WavePlace*>(tunnel);
    if (waves != nullptr) return waves->describe();
    return no_place(tunnel);
}

}  // namespace

std::unique_ptr<Fleets> make_fleets(const FleetsWorld& world) {
    return std::make_unique<Places>(world);
}

}  // namespace keyturn
