#include "keyturnd/fleets.hpp"

#include "clock/clock.hpp"
#include "token/digest.hpp"

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

Error no_fleet() {
    return Error{
        Fault::conflict,
        "the policy has no `coordinator:` for this tunnel, so all its units are on this host",
        {}};
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

}  // namespace

Fleets::Fleets(boost::asio::any_io_executor executor, Clock& clock, EventLog& log,
               const std::string& state_directory, std::string credentials_directory,
               FleetTimes times)
    : executor_(std::move(executor)),
      clock_(clock),
      log_(log),
      memory_(make_fleet_memory(state_directory)),
      credentials_directory_(std::move(credentials_directory)),
      times_(times) {}

std::unique_ptr<ManagedTunnel> Fleets::make(TunnelPolicy policy, double splay_share,
                                            const Dependencies& world,
                                            std::function<void(const ManagedTunnel&)> changed) {
    FleetPlace::MakeParts make_parts = [this, policy] { return parts_of(policy); };
    return std::make_unique<FleetPlace>(executor_, std::move(policy), splay_share, world, log_,
                                        std::move(changed), *memory_, times_,
                                        std::move(make_parts));
}

Result<FleetParts> Fleets::parts_of(const TunnelPolicy& policy) {
    FleetParts parts;
    Result<FleetKeys> keys = read_fleet_keys(policy.coordinator->fleet_key, credentials_directory_);
    if (!keys) return keys.error();
    parts.keys = std::move(*keys);
    auto object = object_of(policy);
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

void Fleets::act(ManagedTunnel* tunnel, const FleetCall& call, FleetTold told) {
    auto* const place = dynamic_cast<FleetPlace*>(tunnel);
    if (place == nullptr) return told(no_fleet());
    auto report = [told = std::move(told)](std::exception_ptr error, Result<std::string> outcome) {
        if (error) outcome = Error{Fault::cancelled, "keyturnd stops", {}};
        told(outcome);
    };
    boost::asio::co_spawn(executor_, place->administer(command_of(call)), std::move(report));
}

Result<std::string> Fleets::describe(ManagedTunnel* tunnel) {
    const auto* const place = dynamic_cast<FleetPlace*>(tunnel);
    if (place == nullptr) return no_fleet();
    return place->describe();
}

FleetTimes fleet_times() {
    constexpr double shortest = 0.01;
    const char* text = std::getenv("KEYTURN_FLEET_TIME_SCALE");
    const double scale = text == nullptr ? 1.0 : std::strtod(text, nullptr);
    return scale >= shortest && scale < 1.0 ? FleetTimes().scaled(scale) : FleetTimes();
}

}  // namespace keyturn
