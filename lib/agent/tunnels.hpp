#pragma once

#include "agent/tunnel_agent.hpp"
#include "cloudflare/accounts.hpp"
#include "executor/unit_claims.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

/// What all agents share but the API, which goes by the tunnel's credential. All of it outlives
/// them.
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

/// The tunnels of the policy, each with the agent that looks after it. A new policy is taken tunnel
/// by tunnel: an agent without an open rotation is ended and made anew, which is as safe as a
/// restart of the daemon; one with an open rotation goes on by the policy it was begun with, and is
/// followed by the new one, or by nothing, at its end.
class Tunnels {
  public:
    /// `changed` is called with the name of a tunnel whose status may have changed, `ended` when
    /// the loop of an agent has ended: with the exception that ended it, without one when it was
    /// told to.
    /// `host_id` gives this host its places in the splay: hosts with the same one share them.
    Tunnels(boost::asio::io_context& context, const SharedWorld& world, std::string host_id,
            std::function<void(const std::string&)> changed,
            std::function<void(std::exception_ptr)> ended);

    /// Names of those that go on with what they had until their rotation ends.
    std::vector<std::string> adopt(std::vector<TunnelPolicy> policies,
                                   std::shared_ptr<Accounts> accounts);

    /// Starts the loops of those that are new.
    void start();
    void stop();
    [[nodiscard]] std::size_t running() const;

    void wall_clock_set();

    /// systemd says that a job of this unit has ended.
    void unit_job_ended(const std::string& unit);

    /// Nothing for a tunnel that is not there.
    [[nodiscard]] TunnelAgent* find(const std::string& name);
    [[nodiscard]] std::vector<TunnelStatus> statuses() const;
    [[nodiscard]] std::vector<TunnelPlan> plans(std::size_t count) const;
    [[nodiscard]] std::size_t size() const { return slots_.size(); }

  private:
    struct Slot {
        std::unique_ptr<TunnelAgent> agent;
        std::shared_ptr<Accounts> accounts;  ///< Those that the agent uses.
        std::unique_ptr<boost::asio::cancellation_signal> cancellation;  ///< Nothing: not started.
        std::optional<TunnelPolicy> next;  ///< What follows; nothing: the tunnel leaves.
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
    std::shared_ptr<Accounts> accounts_;
    UnitClaims claims_;
    std::list<Slot> slots_;
    bool replacing_ = false;
    bool stopping_ = false;
};

}  // namespace keyturn
