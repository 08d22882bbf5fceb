#include "keyturnd/application.hpp"

#include "agent/orphaned_rotations.hpp"
#include "agent/service_status.hpp"
#include "agent/tunnels.hpp"
#include "base/counted.hpp"
#include "bus/bus.hpp"
#include "clock/clock.hpp"
#include "cloudflare/accounts.hpp"
#include "cloudflare/api_budget.hpp"
#include "cloudflare/credentials.hpp"
#include "cloudflared/connectors.hpp"
#include "control/control_service.hpp"
#include "delivery/token_store.hpp"
#include "http/http_client.hpp"
#include "journal/event_log.hpp"
#include "journal/stderr_line.hpp"
#include "keyturnd/exit_code.hpp"
#include "keyturnd/metrics_address_book.hpp"
#include "keyturnd/signals.hpp"
#include "keyturnd/surroundings.hpp"
#include "notify/notifier.hpp"
#include "state/state_store.hpp"
#include "token/random.hpp"
#include "units/unit_manager.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <list>
#include <optional>
#include <utility>

namespace keyturn {

namespace {

/// After SIGTERM keyturnd cancels everything, and leaves after this time even if something has not
/// ended. TimeoutStopSec= in the unit is longer.
constexpr std::chrono::seconds drain_deadline{5};

/// At the start, keyturnd waits at most this long for the bus before it checks the units and tells
/// systemd that it is ready.
constexpr std::chrono::seconds bus_patience{2};

constexpr int critical_level = static_cast<int>(Priority::critical);
constexpr int error_level = static_cast<int>(Priority::error);
constexpr int warning_level = static_cast<int>(Priority::warning);

Result<ApiAccess> read_api_access(const Policy& policy) {
    return read_access(policy, credentials_directory(), read_proxy_variables(std::getenv));
}

/// The composition root. One thread and one io_context: there are no locks, and each step runs to
/// its next co_await. Each member needs only members above it.
class Application {
  public:
    /// The policy ends here, because each agent has its own part of it.
    Application(const CommandLine& options, Policy policy, ApiAccess access,
                std::unique_ptr<StateStore> states, const MakeFleets& make_fleets);

    /// As `run_application`.
    std::optional<int> run();

  private:
    std::vector<std::string> adopt(const Policy& policy, ApiAccess access);
    void reload();
    void refuse_policy(const std::string& why);
    void spawn(Task<> work);
    void loop_ended(std::exception_ptr error);
    void stop();
    void hand_over();
    void end_everything();
    [[nodiscard]] bool nothing_runs() const { return running_ == 0 && tunnels_.running() == 0; }
    void tell_status();
    void become_ready();
    Task<> go_without_bus();
    Task<> feed_watchdog(Milliseconds interval);
    Task<> heed_the_clock();
    std::unique_ptr<ManagedTunnel> make_tunnel(TunnelPolicy policy, double share,
                                               const Dependencies& world,
                                               std::function<void(const ManagedTunnel&)> changed);
    ControlHandlers handlers();

    std::string policy_file_;
    boost::asio::io_context context_{1};
    std::unique_ptr<EventLog> log_ = make_journal();
    std::unique_ptr<Notifier> notifier_ = make_notifier();
    std::unique_ptr<Clock> clock_ = make_clock(context_.get_executor());
    std::unique_ptr<Random> random_ = make_random();
    std::unique_ptr<StateStore> states_;
    std::unique_ptr<TokenStore> tokens_;
    Bus bus_{context_, system_bus()};
    std::unique_ptr<UnitManager> units_ =
        make_unit_manager(bus_, *clock_, UnitPatience{},
                          [this](const std::string& unit) { tunnels_.unit_job_ended(unit); });
    std::unique_ptr<HttpClient> loopback_http_;
    std::unique_ptr<Connectors> connectors_;
    MetricsAddressBook metrics_addresses_{*units_};
    ApiBudget budget_;
    std::vector<Event> orphans_;
    std::unique_ptr<Fleets> fleets_;  ///< Null in the program without fleets.
    Tunnels tunnels_{context_,
                     {*clock_, *units_, *connectors_, *tokens_, *states_, *random_, budget_, *log_},
                     read_host_id(),
                     [this](const std::string& tunnel) {
                         control_.changed(tunnel);
                         tell_status();
                     },
                     [this](std::exception_ptr error) { loop_ended(error); },
                     [this](TunnelPolicy policy, double share, const Dependencies& world,
                            std::function<void(const ManagedTunnel&)> changed) {
                         return make_tunnel(std::move(policy), share, world, std::move(changed));
                     }};
    ControlService control_{bus_, handlers()};
    Signals signals_{context_, [this] { stop(); }, [this] { reload(); }};

    std::list<boost::asio::cancellation_signal> cancellations_;
    std::size_t running_ = 0;
    bool ready_ = false;
    bool telling_ = false;
    bool stopping_ = false;
    bool handing_over_ = false;
    bool failed_ = false;
};

// NOLINTNEXTLINE(performance-unnecessary-value-param): see its declaration.
Application::Application(const CommandLine& options, Policy policy, ApiAccess access,
                         std::unique_ptr<StateStore> states, const MakeFleets& make_fleets)
    : policy_file_(options.policy_file),
      states_(std::move(states)),
      tokens_(make_token_store(options.state_directory)),
      loopback_http_(make_http_client(context_.get_executor(), connector_http_options())),
      connectors_(make_connectors(
          *loopback_http_,
          {[this](std::string unit) { return metrics_addresses_.fixed(std::move(unit)); },
           [this](std::string unit) { return metrics_addresses_.published(std::move(unit)); }})) {
    if (make_fleets) {
        fleets_ = make_fleets({context_.get_executor(), *clock_, *log_, options.state_directory,
                               credentials_directory()});
    }
    orphans_ = orphaned_rotations(*states_, policy.tunnels);
    adopt(policy, std::move(access));
}

std::vector<std::string> Application::adopt(const Policy& policy, ApiAccess access) {
    auto accounts = std::make_shared<Accounts>(context_.get_executor(), policy.cloudflare,
                                               std::move(access), budget_, *clock_);
    std::vector<std::string> staying = tunnels_.adopt(policy.tunnels, std::move(accounts));
    metrics_addresses_.take(policy, staying);
    return staying;
}

std::unique_ptr<ManagedTunnel> Application::make_tunnel(
    TunnelPolicy policy, double share, const Dependencies& world,
    std::function<void(const ManagedTunnel&)> changed) {
    if (policy.coordinator) {
        return fleets_->make(std::move(policy), share, world, std::move(changed));
    }
    return std::make_unique<TunnelAgent>(context_.get_executor(), std::move(policy), share, world,
                                         *log_, std::move(changed));
}

std::optional<int> Application::run() {
    bus_.start();
    log_->record({EventKind::daemon_started, Priority::notice,
                  fmt::format("keyturnd {} manages {}", KEYTURN_VERSION,
                              counted(tunnels_.size(), "tunnel"))});
    for (const Event& orphan : orphans_) log_->record(orphan);
    if (const auto interval = notifier_->watchdog_interval()) spawn(feed_watchdog(*interval));
    spawn(heed_the_clock());
    spawn(go_without_bus());
    context_.run();
    if (handing_over_ && !failed_) return std::nullopt;
    return failed_ ? exit_error : exit_ok;
}

void Application::spawn(Task<> work) {
    boost::asio::cancellation_signal& cancellation = cancellations_.emplace_back();
    ++running_;
    auto report = [this](std::exception_ptr error) {
        --running_;
        loop_ended(error);
    };
    boost::asio::co_spawn(context_, std::move(work),
                          boost::asio::bind_cancellation_slot(cancellation.slot(), report));
}

/// A loop ends only when keyturnd stops. If an exception ends one, that is a bug: the daemon exits,
/// systemd starts it again, and it resumes from the state on disk.
void Application::loop_ended(std::exception_ptr error) {
    if (error && !stopping_) {
        failed_ = true;
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& exception) {
            tell_stderr(critical_level,
                        fmt::format("keyturnd: internal error: {}", exception.what()));
        }
        stop();
    }
    if (stopping_ && nothing_runs()) {
        bus_.stop();
        signals_.cancel();
        context_.stop();
    }
}

void Application::stop() {
    handing_over_ = false;
    if (stopping_) return;
    stopping_ = true;
    notifier_->stopping();
    log_->record({EventKind::daemon_stopping, Priority::notice,
                  "keyturnd stops; an open rotation continues at the next start"});
    end_everything();
}

/// The new policy needs keyturnd-fleet, which continues in this process. For systemd the reload
/// ends when that is ready.
void Application::hand_over() {
    stopping_ = true;
    handing_over_ = true;
    log_->record({EventKind::policy_reloaded, Priority::notice,
                  "the new policy has a tunnel with a `coordinator:`: keyturnd continues as "
                  "keyturnd-fleet"});
    end_everything();
}

void Application::end_everything() {
    for (boost::asio::cancellation_signal& cancellation : cancellations_) {
        cancellation.emit(boost::asio::cancellation_type::terminal);
    }
    tunnels_.stop();
    auto deadline = std::make_shared<boost::asio::steady_timer>(context_, drain_deadline);
    deadline->async_wait([this, deadline](const boost::system::error_code&) { context_.stop(); });
    if (nothing_runs()) context_.stop();
}

/// Sends one status for all changes of the same moment: a thousand tunnels may start together.
void Application::tell_status() {
    if (std::exchange(telling_, true)) return;
    boost::asio::post(context_, [this] {
        telling_ = false;
        if (!stopping_ && ready_) notifier_->status(service_status(tunnels_.statuses()));
    });
}

/// Reports once that keyturnd is ready, when keyturnctl can reach it: it works right after
/// `systemctl start`. Then the tunnels begin to work, so nobody waits for their first look. They
/// need the bus to check the units. After a reconnect, nothing is started twice.
void Application::become_ready() {
    if (stopping_) return;
    if (!std::exchange(ready_, true)) notifier_->ready(service_status(tunnels_.statuses()));
    tunnels_.start();
}

/// Without a bus, keyturnd becomes ready all the same, so that open rotations continue.
Task<> Application::go_without_bus() {
    const BootTime latest = clock_->boot_now() + bus_patience;
    co_await clock_->sleep_until(latest);
    become_ready();
}

Task<> Application::heed_the_clock() {
    for (;;) {
        co_await clock_->wall_clock_set();
        tunnels_.wall_clock_set();
    }
}

Task<> Application::feed_watchdog(Milliseconds interval) {
    for (;;) {
        notifier_->watchdog();
        const BootTime next = clock_->boot_now() + interval;
        co_await clock_->sleep_until(next);
    }
}

/// Takes the new policy completely or not at all. If it has problems, keyturnd reports them and
/// keeps the present one.
void Application::reload() {
    if (stopping_) return;
    notifier_->reloading();
    PolicyOutcome outcome = load_policy(policy_file_);
    if (const auto* problems = std::get_if<std::vector<PolicyProblem>>(&outcome)) {
        const std::string first = to_text(problems->front());
        return refuse_policy(fmt::format("{} ({} in total; see keyturnctl check)",
                                         first.substr(0, first.find('\n')),
                                         counted(problems->size(), "problem")));
    }
    const Policy& policy = std::get<Policy>(outcome);
    auto access = read_api_access(policy);
    if (!access) return refuse_policy(access.error().text);
    // keyturnd starts without an API token, but a reload does not replace a token with none.
    const std::vector<std::string> missing = problems_of(*access);
    if (!missing.empty()) return refuse_policy(missing.front());

    if (!fleets_ && needs_fleets(policy)) {
        const auto other = find_keyturnd_fleet();
        return other ? hand_over() : refuse_policy(other.error().text);
    }
    for (const std::string& warning : policy.warnings) tell_stderr(warning_level, warning);
    const std::vector<std::string> staying = adopt(policy, std::move(*access));
    tunnels_.start();
    std::string message = fmt::format("keyturnd has loaded the new policy, with {}",
                                      counted(policy.tunnels.size(), "tunnel"));
    if (!staying.empty()) {
        message += fmt::format("; until the open rotation ends, the previous policy applies to {}",
                               fmt::join(staying, ", "));
    }
    log_->record({EventKind::policy_reloaded, Priority::notice, std::move(message)});
    notifier_->ready(service_status(tunnels_.statuses()));
}

void Application::refuse_policy(const std::string& why) {
    log_->record({.kind = EventKind::policy_refused,
                  .priority = Priority::error,
                  .message = "keyturnd rejects the new policy and keeps the previous one: " + why,
                  .result = "refused"});
    notifier_->ready(service_status(tunnels_.statuses()));
}

ControlHandlers Application::handlers() {
    const auto no_such = [](const std::string& tunnel) {
        return Error{Fault::missing, fmt::format("the policy has no tunnel {}", tunnel)};
    };
    ControlHandlers handlers;
    handlers.tunnels = [this] { return tunnels_.names(); };
    handlers.status = [this](const std::string& tunnel) { return tunnels_.status(tunnel); };
    handlers.plan = [this](unsigned count) { return tunnels_.plans(count); };
    handlers.reachable = [this] { become_ready(); };
    handlers.report = [](const std::string& sentence) { tell_stderr(warning_level, sentence); };
    handlers.rotate = [this, no_such](const std::string& tunnel,
                                      const RotationRequest& request) -> Result<void> {
        ManagedTunnel* const agent = tunnels_.find(tunnel);
        return agent == nullptr ? Result<void>(no_such(tunnel)) : agent->request_rotation(request);
    };
    handlers.fleet = [this](const std::string& tunnel, const FleetCall& call, FleetTold told) {
        if (!fleets_) return told(no_fleet());
        fleets_->act(tunnels_.find(tunnel), call, [this, told](const Result<std::string>& outcome) {
            told(outcome);
            bus_.kick();
        });
    };
    handlers.fleet_status = [this](const std::string& tunnel) -> Result<std::string> {
        if (!fleets_) return no_fleet();
        return fleets_->describe(tunnels_.find(tunnel));
    };
    handlers.decide = [this, no_such](const std::string& tunnel,
                                      Decision decision) -> Result<void> {
        ManagedTunnel* const agent = tunnels_.find(tunnel);
        return agent == nullptr ? Result<void>(no_such(tunnel)) : agent->decide(decision);
    };
    return handlers;
}

}  // namespace

std::optional<int> run_application(const CommandLine& options, Policy policy,
                                   const MakeFleets& make_fleets) {
    Result<ApiAccess> access = read_api_access(policy);
    if (!access) {
        tell_stderr(error_level, "keyturnd: " + access.error().text);
        return exit_policy;
    }
    for (const std::string& problem : problems_of(*access))
        tell_stderr(error_level, "keyturnd: " + problem);
    Result<std::unique_ptr<StateStore>> states = make_state_store(
        options.state_directory, [](const std::string& tunnel, const std::string& sentence) {
            tell_stderr(warning_level, fmt::format("keyturnd: {}: {}", tunnel, sentence));
        });
    if (!states) {
        tell_stderr(error_level, "keyturnd: " + states.error().text);
        return states.error().fault == Fault::conflict ? exit_locked : exit_error;
    }
    Application application(options, std::move(policy), std::move(*access), std::move(*states),
                            make_fleets);
    return application.run();
}

}  // namespace keyturn
