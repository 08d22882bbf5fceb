#include "member/fleet_place.hpp"

#include "clock/clock.hpp"
#include "member/describe.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include <utility>

namespace keyturn {

namespace {

/// Between two attempts to take the place.
constexpr Milliseconds try_again = std::chrono::minutes{1};

}  // namespace

FleetPlace::FleetPlace(const boost::asio::any_io_executor& executor, TunnelPolicy policy,
                       double splay_share, Dependencies world, EventLog& log,
                       std::function<void(const ManagedTunnel&)> changed, FleetMemory& memory,
                       FleetTimes times, MakeParts make_parts)
    : executor_(executor),
      policy_(std::move(policy)),
      splay_share_(splay_share),
      world_(world),
      log_(log),
      changed_(std::move(changed)),
      memory_(memory),
      times_(times),
      make_parts_(std::move(make_parts)),
      begin_anew_(executor) {}

Task<> FleetPlace::run() {
    for (;;) co_await stay();
}

/// Until it is time to take the place anew.
Task<> FleetPlace::stay() {
    using namespace boost::asio::experimental::awaitable_operators;
    const Baton::Holding holding = co_await baton_.take();
    co_await take_place();
    if (tunnel_) {
        co_await (tunnel_->run() || begin_anew_.wait());
        tunnel_.reset();
        empty_because_ = "keyturnd carries out a command for the fleet";
    } else {
        const BootTime next = world_.clock.boot_now() + try_again;
        co_await (world_.clock.sleep_until(next) || begin_anew_.wait());
    }
}

/// A store that ignores conditions must never be written to: two hosts would restart at once.
Task<Result<FleetParts>> FleetPlace::proven_parts() {
    Result<FleetParts> parts = make_parts_();
    if (!parts || !parts->memories) co_return parts;
    const std::string scratch = parts->memories->install;
    const auto proven = co_await parts->object->check_conditions(scratch);
    if (!proven) co_return proven.error();
    co_return parts;
}

Task<> FleetPlace::take_place() {
    Result<FleetParts> parts = co_await proven_parts();
    if (!parts) {
        empty_because_ = parts.error().text;
    } else if (!parts->memories) {
        empty_because_ = fmt::format(
            "this host has not joined the fleet of {0}: `keyturnctl fleet join {0}`, or `init` if "
            "it is the first",
            policy_.name);
    } else {
        empty_because_.clear();
        FleetSetup setup{std::move(parts->object), std::move(parts->keys),
                         std::move(*parts->memories), std::move(parts->self), times_};
        setup.self.host = setup.memories.host;
        setup.self.entry.install = setup.memories.install;
        tunnel_ = std::make_unique<FleetTunnel>(
            executor_, policy_, splay_share_, world_, log_,
            [this](const ManagedTunnel&) { changed_(*this); }, memory_, std::move(setup));
    }
    troubles_.note(tunnel_ ? std::vector<std::string>() : std::vector{empty_because_});
    changed_(*this);
}

Result<void> FleetPlace::request_rotation(RotationRequest request) {
    if (!tunnel_) return Error{Fault::denied, empty_because_, {}};
    return tunnel_->request_rotation(std::move(request));
}

Result<void> FleetPlace::decide(Decision decision) {
    if (!tunnel_) return Error{Fault::denied, empty_because_, {}};
    return tunnel_->decide(decision);
}

void FleetPlace::wall_clock_set() {
    if (tunnel_) tunnel_->wall_clock_set();
}

void FleetPlace::unit_job_ended(const std::string& unit) {
    if (tunnel_) tunnel_->unit_job_ended(unit);
}

TunnelStatus FleetPlace::status() const {
    if (tunnel_) return tunnel_->status();
    TunnelStatus status;
    status.name = policy_.name;
    status.state = "idle";
    status.findings.push_back(empty_because_);
    return status;
}

TunnelPlan FleetPlace::plan(std::size_t count) const {
    if (tunnel_) return tunnel_->plan(count);
    TunnelPlan plan;
    plan.name = policy_.name;
    return plan;
}

Task<Result<std::string>> FleetPlace::administer(FleetCommand command) {
    ++commands_;
    auto told = co_await obey(std::move(command));
    --commands_;
    changed_(*this);
    co_return told;
}

Task<Result<std::string>> FleetPlace::obey(FleetCommand command) {
    if (!command.host.empty() && !is_fleet_host(command.host)) {
        co_return Error{Fault::invalid,
                        "a host's name in a fleet has at most 64 letters, digits, - _ and .",
                        {}};
    }
    // The command and the tunnel would overwrite each other's memories of the fleet.
    begin_anew_.wake();
    const Baton::Holding holding = co_await baton_.take();
    Result<FleetParts> parts = make_parts_();
    if (!parts) co_return parts.error();
    const bool enters = command.kind != FleetCommand::Kind::decommission &&
                        command.kind != FleetCommand::Kind::accept;
    const bool renames = command.kind == FleetCommand::Kind::rejoin && !command.host.empty();
    if (enters) parts->self.host = command.host;
    // A host that has joined keeps its name.
    if (parts->memories && !renames) parts->self.host = parts->memories->host;
    if (enters && parts->self.host.empty()) {
        co_return Error{
            Fault::invalid, "this host has no name in the fleet yet; say which: --host NAME", {}};
    }
    const FleetWorld world{*parts->object, world_.clock, world_.random, memory_};
    FleetAdmin admin(policy_, world, std::move(parts->keys), std::move(parts->self));
    co_return co_await carry_out(admin, std::move(command));
}

Task<Result<std::string>> FleetPlace::carry_out(FleetAdmin& admin, FleetCommand command) {
    switch (command.kind) {
        case FleetCommand::Kind::join: co_return co_await admin.join();
        case FleetCommand::Kind::rejoin: co_return co_await admin.rejoin();
        case FleetCommand::Kind::decommission: co_return co_await admin.decommission(command.host);
        case FleetCommand::Kind::accept: co_return co_await admin.accept(command.rev);
        case FleetCommand::Kind::init: break;
    }
    const TunnelRef tunnel{policy_.account, policy_.tunnel};
    const auto answer = co_await world_.api.get_token(tunnel);
    if (!answer) co_return answer.error();
    const auto token = decode_token(answer->token.reveal());
    if (!token) co_return with_context("Cloudflare's token", token.error());
    co_return co_await admin.init(fingerprint_of(*token));
}

std::string FleetPlace::describe() const {
    if (!tunnel_) return fmt::format("{}  {}\n", policy_.name, empty_because_);
    return describe_fleet(policy_.name, *tunnel_, world_.clock.boot_now());
}

}  // namespace keyturn
