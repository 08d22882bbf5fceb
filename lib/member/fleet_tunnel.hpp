#pragma once

#include "agent/managed_tunnel.hpp"
#include "agent/tunnel_agent.hpp"
#include "asio/wakeup.hpp"
#include "fleet/fleet.hpp"
#include "fleet/follower.hpp"
#include "fleet/take_over_watch.hpp"
#include "fleet/times.hpp"
#include "member/fleet_log.hpp"
#include "member/fleet_states.hpp"
#include "member/fleet_tokens.hpp"
#include "member/follower_shell.hpp"
#include "member/lead_executor.hpp"
#include "member/trouble_log.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

namespace keyturn {

/// How this host takes part in the fleet of one tunnel.
struct FleetSetup {
    std::shared_ptr<SharedObject> object;
    FleetKeys keys;
    FleetMemories memories;
    FleetSelf self;  ///< `self.entry.eligible` says whether it has a Cloudflare credential.
    FleetTimes times;
};

/// A tunnel whose units run on several hosts. Always follows: stages, delivers, takes its turn,
/// reports. If this host may lead and no other does, it also runs a `TunnelAgent` over the units of
/// all hosts, whose state lies in the shared object. Losing the lead ends that agent, which is as
/// safe as a crash.
class FleetTunnel final : public ManagedTunnel {
  public:
    /// As `TunnelAgent`; `memory` must outlive this, too.
    FleetTunnel(const boost::asio::any_io_executor& executor, TunnelPolicy policy,
                double splay_share, Dependencies world, EventLog& log,
                std::function<void(const ManagedTunnel&)> changed, FleetMemory& memory,
                FleetSetup setup);
    /// Tells which orders are lost with it.
    ~FleetTunnel() override;

    void load() override {}
    Task<> run() override;

    /// The request becomes an order in the shared object, which the host that leads carries out.
    [[nodiscard]] Result<void> request_rotation(RotationRequest request) override;
    [[nodiscard]] Result<void> decide(Decision decision) override;

    [[nodiscard]] bool idle() const override;
    [[nodiscard]] bool takes_a_new_policy() const override { return true; }
    void wall_clock_set() override;
    void unit_job_ended(const std::string& unit) override;
    [[nodiscard]] TunnelStatus status() const override;
    [[nodiscard]] TunnelPlan plan(std::size_t count) const override;
    [[nodiscard]] const std::string& name() const override { return policy_.name; }

    [[nodiscard]] const std::optional<FleetDocument>& seen() const { return fleet_.seen(); }
    [[nodiscard]] const FollowerTrouble& trouble() const { return trouble_; }
    [[nodiscard]] BootTime seen_at() const { return fleet_.seen_at(); }

  private:
    // The part of every host.
    Task<> follow();
    void note_look();
    void keep_history();
    [[nodiscard]] Result<void> place_order(OrderKind kind, RotationRequest request);

    // The part of a host that may lead.
    Task<> lead();
    Task<> wait_until_wanted();
    Task<bool> take_the_lead();
    Task<> run_agent();
    Task<> keep_office();
    Task<> do_office_work();
    [[nodiscard]] BootTime next_office_work() const;
    Task<> pass_on_wishes();
    Task<Result<void>> place(FleetOrder wish);
    void tell_dropped(const FleetOrder& wish, std::string_view why);
    Task<> push_state();
    Task<> give_beat();
    void note_refused(const Error& error, const std::optional<Leadership>& led);
    Task<> hand_out_token();
    Task<std::optional<SealedTokens>> seal_present_token();
    void obey();
    [[nodiscard]] Result<void> carry_out(const FleetOrder& order);
    [[nodiscard]] bool came_too_late(const FleetOrder& order) const;
    Task<> answer();
    [[nodiscard]] bool may_run_agent() const;
    [[nodiscard]] bool must_end_agent() const;
    [[nodiscard]] TunnelPolicy policy_of_fleet() const;
    [[nodiscard]] std::unique_ptr<TunnelAgent> make_agent();
    void begin_agent();
    void show();

    TunnelPolicy policy_;
    Dependencies world_;
    boost::asio::any_io_executor executor_;
    double splay_share_;
    std::function<void(const ManagedTunnel&)> changed_;
    FleetTimes times_;
    FleetSelf self_;
    std::shared_ptr<SharedObject> object_;
    Fleet fleet_;
    FleetLog log_;
    FleetTokens tokens_;
    FleetStates states_;
    Leading leading_;
    FollowerShell shell_;
    Wakeup office_;  ///< Something has happened that the lead's part should look at.
    Wakeup wished_;  ///< A person on this host wants something.
    TakeOverWatch watch_;
    FollowerTrouble trouble_;
    TroubleLog troubles_{policy_, log_};
    std::list<FleetOrder> wishes_;  ///< Of people on this host, on their way into the object.
    std::uint64_t obeyed_ = 0;      ///< The newest order that this host has begun to carry out.
    BootTime obeyed_at_{};
    std::string refusal_;         ///< Why it was refused, until the object has that.
    TunnelState agreed_;          ///< What the object had when the agent began, or has got from it.
    TunnelPolicy agents_policy_;  ///< The `policy_of_fleet()` that the agent began with.
    bool unsaved_ = false;        ///< The agent has saved something that the object does not have.
    bool deposed_ = false;
    std::unique_ptr<TunnelAgent> agent_;
    std::unique_ptr<TunnelAgent> shown_;  ///< For the status, while another host leads.
    std::optional<TunnelState> shown_state_;
    std::optional<HistoryEntry> kept_;  ///< The newest one that is in this host's history.
};

/// True if a host that cannot ask Cloudflare does not have the tunnel's token.
[[nodiscard]] bool someone_lacks_the_token(const FleetDocument& document);

}  // namespace keyturn
