#pragma once

#include "agent/managed_tunnel.hpp"
#include "agent/tunnel_agent.hpp"
#include "cloudflare/accounts.hpp"
#include "executor/unit_claims.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// What all agents share. The API is missing because it depends on the tunnel's credential. All of
/// this must outlive the agents.
struct SharedWorld {
    Clock& clock;
    UnitManager& units;
    Connectors& connectors;
    TokenStore& tokens;
    StateStore& states;
    Random& random;
    ApiBudget& budget;
    EventLog& log;
};

/// Makes what manages a tunnel; `changed` is called whenever its status may have changed.
using MakeTunnel = std::function<std::unique_ptr<ManagedTunnel>(
    TunnelPolicy policy, double splay_share, const Dependencies& world,
    std::function<void(const ManagedTunnel&)> changed)>;

/// The tunnels of the policy, each with its agent. A new policy takes effect tunnel by tunnel. An
/// agent without an open rotation is replaced, which is as safe as a restart of the daemon. An
/// agent with an open rotation keeps its policy until the rotation ends, and is then replaced or
/// removed.
class Tunnels {
  public:
    /// `changed` is called with the name of a tunnel whose status may have changed. `ended` is
    /// called when the loop of an agent has ended, with the exception that ended it, or with null
    /// if it was stopped. `host_id` determines the places of this host's tunnels in the splay;
    /// hosts with the same id have the same places. `make` is for tunnels that are not of this
    /// host alone; without it all are.
    Tunnels(boost::asio::io_context& context, const SharedWorld& world, std::string host_id,
            std::function<void(const std::string&)> changed,
            std::function<void(std::exception_ptr)> ended, MakeTunnel make = {});

    /// Takes a new policy. Returns the names of the tunnels that keep their policy until their
    /// rotation ends.
    std::vector<std::string> adopt(std::vector<TunnelPolicy> policies,
                                   std::shared_ptr<Accounts> accounts);

    /// Starts the loops of new agents.
    void start();
    void stop();
    [[nodiscard]] std::size_t running() const;

    void wall_clock_set();

    /// Passes on that a systemd job of this unit has ended.
    void unit_job_ended(const std::string& unit);

    /// Returns null if there is no such tunnel.
    [[nodiscard]] ManagedTunnel* find(const std::string& name);
    [[nodiscard]] std::vector<std::string> names() const;
    [[nodiscard]] std::optional<TunnelStatus> status(const std::string& name);
    [[nodiscard]] std::vector<TunnelStatus> statuses() const;
    [[nodiscard]] std::vector<TunnelPlan> plans(std::size_t count) const;
    [[nodiscard]] std::size_t size() const { return slots_.size(); }

  private:
    struct Slot {
        std::unique_ptr<ManagedTunnel> agent;
        std::shared_ptr<Accounts> accounts;  ///< The accounts that the agent uses.
        std::unique_ptr<boost::asio::cancellation_signal> cancellation;  ///< Null: not started.
        std::unique_ptr<TunnelPolicy> next;  ///< The new policy; null: remove the tunnel.
        bool outdated = false;
        bool running = false;
        bool ending = false;
    };

    void fill(Slot& slot, TunnelPolicy policy);
    void start(Slot& slot);
    void loop_ended(Slot& slot, std::exception_ptr error);
    void replace_later();
    void replace_idle();
    [[nodiscard]] Slot* slot_of(const std::string& name);

    boost::asio::io_context& context_;
    SharedWorld world_;
    std::string host_id_;
    std::function<void(const std::string&)> changed_;
    std::function<void(std::exception_ptr)> ended_;
    MakeTunnel make_;
    std::shared_ptr<Accounts> accounts_;
    UnitClaims claims_;
    std::list<Slot> slots_;
    std::map<std::string, Slot*, std::less<>> by_name_;
    bool replacing_ = false;
    bool stopping_ = false;
};

}  // namespace keyturn
