#pragma once

#include "asio/baton.hpp"
#include "asio/wakeup.hpp"
#include "member/admin.hpp"
#include "member/fleet_tunnel.hpp"
#include "member/trouble_log.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace keyturn {

/// What a person wants of a fleet, typed on this host.
struct FleetCommand {
    enum class Kind { init, join, rejoin, decommission, accept };
    Kind kind = Kind::join;
    std::string host;       ///< The name of this host; of `decommission`: the host that is gone.
    std::uint64_t rev = 0;  ///< Of `accept`.
};

/// What is made anew for each attempt to take the place.
struct FleetParts {
    std::shared_ptr<SharedObject> object;
    FleetKeys keys;
    std::optional<FleetMemories> memories;  ///< Nothing: this host has not joined yet.
    FleetSelf self;
};

/// This host's place in the fleet of one tunnel. It is empty until the host has joined and has its
/// fleet key; it tries again every minute, and after each command.
class FleetPlace final : public ManagedTunnel {
  public:
    using MakeParts = std::function<Result<FleetParts>()>;

    FleetPlace(const boost::asio::any_io_executor& executor, TunnelPolicy policy,
               double splay_share, Dependencies world, EventLog& log,
               std::function<void(const ManagedTunnel&)> changed, FleetMemory& memory,
               FleetTimes times, MakeParts make_parts);

    void load() override {}
    Task<> run() override;
    [[nodiscard]] Result<void> request_rotation(RotationRequest request) override;
    [[nodiscard]] Result<void> decide(Decision decision) override;
    [[nodiscard]] bool idle() const override { return !tunnel_ || tunnel_->idle(); }
    /// Not while a command is under way.
    [[nodiscard]] bool takes_a_new_policy() const override { return commands_ == 0; }
    void wall_clock_set() override;
    void unit_job_ended(const std::string& unit) override;
    [[nodiscard]] TunnelStatus status() const override;
    [[nodiscard]] TunnelPlan plan(std::size_t count) const override;
    [[nodiscard]] const std::string& name() const override { return policy_.name; }

    /// Carries out a command. The sentence says what happened.
    Task<Result<std::string>> administer(FleetCommand command);

    /// The fleet as this host sees it, in lines for a person.
    [[nodiscard]] std::string describe() const;

  private:
    Task<> stay();
    Task<> take_place();
    Task<Result<FleetParts>> proven_parts();
    Task<Result<std::string>> obey(FleetCommand command);
    Task<Result<std::string>> carry_out(FleetAdmin& admin, FleetCommand command);

    boost::asio::any_io_executor executor_;
    TunnelPolicy policy_;
    double splay_share_;
    Dependencies world_;
    EventLog& log_;
    std::function<void(const ManagedTunnel&)> changed_;
    FleetMemory& memory_;
    FleetTimes times_;
    MakeParts make_parts_;
    Wakeup begin_anew_;
    Baton baton_;  ///< For the tunnel, or one command at a time.
    std::string empty_because_ = "keyturnd has just started";
    TroubleLog troubles_{policy_, log_};
    std::unique_ptr<FleetTunnel> tunnel_;
    int commands_ = 0;  ///< Under way.
};

}  // namespace keyturn
