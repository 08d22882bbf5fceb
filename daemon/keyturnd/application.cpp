#include "keyturnd/application.hpp"

#include "agent/orphans.hpp"
#include "agent/splay.hpp"
#include "agent/tunnel_agent.hpp"
#include "bus/bus.hpp"
#include "cloudflare/api_budget.hpp"
#include "cloudflare/budgeted_api.hpp"
#include "cloudflare/tunnel_api.hpp"
#include "cloudflared/connectors.hpp"
#include "cloudflared/token_source.hpp"
#include "control/control_service.hpp"
#include "delivery/token_store.hpp"
#include "http/http_client.hpp"
#include "journal/event_log.hpp"
#include "keyturnd/credentials.hpp"
#include "keyturnd/exit_code.hpp"
#include "keyturnd/service_status.hpp"
#include "keyturnd/signals.hpp"
#include "notify/notifier.hpp"
#include "state/state_store.hpp"
#include "time/clock.hpp"
#include "token/random.hpp"
#include "units/unit_manager.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <fmt/format.h>
#include <systemd/sd-id128.h>

#include <array>
#include <cstdio>
#include <list>
#include <map>
#include <optional>
#include <utility>

namespace keyturn {

namespace {

/// After SIGTERM everything is cancelled; what has not ended by then is left behind. systemd's
/// TimeoutStopSec= is longer.
constexpr std::chrono::seconds drain_deadline{5};

/// So long systemd is not told that we are ready, unless keyturnctl can reach us.
constexpr std::chrono::seconds bus_patience{2};

/// The machine id, or nothing: then hosts of one policy start at the same places in the splay.
std::string read_host_id() {
    sd_id128_t id{};
    if (sd_id128_get_machine(&id) < 0) return {};
    std::array<char, SD_ID128_STRING_MAX> text{};
    return sd_id128_to_string(id, text.data());
}

HttpClientOptions loopback_options() {
    HttpClientOptions options;
    options.limits = connector_http_limits();
    return options;
}

/// One Cloudflare credential and the connection that uses it.
struct Account {
    std::unique_ptr<HttpClient> http;
    std::unique_ptr<TunnelApi> api;
};

/// The composition root. One thread and one io_context: no locks, and nothing runs while something
/// else is half done. The members are in the order in which they need each other.
class Application {
  public:
    Application(const CommandLine& options, Policy policy, std::map<std::string, Secret> api_tokens,
                std::unique_ptr<StateStore> states);

    int run();

  private:
    void build_agents(Policy& policy);
    void spawn(Task<> work);
    void ended(std::exception_ptr error);
    void stop();
    void tell_status();
    void tell_ready();
    Task<> tell_ready_at_last();
    Task<> feed_watchdog(Milliseconds interval);
    Task<> heed_the_clock();
    Task<std::optional<std::string>> fixed_metrics_address(std::string unit);
    TunnelAgent* find(const std::string& tunnel);
    ControlHandlers handlers();
    [[nodiscard]] std::vector<TunnelStatus> statuses() const;

    boost::asio::io_context context_{1};
    std::unique_ptr<EventLog> log_ = make_journal();
    std::unique_ptr<Notifier> notifier_ = make_notifier();
    std::unique_ptr<Clock> clock_ = make_clock(context_.get_executor());
    std::unique_ptr<Random> random_ = make_random();
    std::unique_ptr<StateStore> states_;
    std::unique_ptr<TokenStore> tokens_;
    Bus bus_{context_, system_bus()};
    std::unique_ptr<UnitManager> units_ = make_unit_manager(bus_, *clock_);
    std::unique_ptr<HttpClient> loopback_http_;
    std::unique_ptr<Connectors> connectors_;
    ApiBudget budget_;
    std::map<std::string, Account> accounts_;
    std::vector<Event> orphans_;
    std::list<TunnelAgent> agents_;
    ControlService control_{bus_, handlers()};
    StopSignals signals_{context_, [this] { stop(); }};

    std::list<boost::asio::cancellation_signal> cancellations_;
    std::size_t running_ = 0;
    bool ready_ = false;
    bool stopping_ = false;
    bool failed_ = false;
};

Application::Application(const CommandLine& options, Policy policy,
                         std::map<std::string, Secret> api_tokens,
                         std::unique_ptr<StateStore> states)
    : states_(std::move(states)),
      tokens_(make_token_store(options.state_directory)),
      loopback_http_(make_http_client(context_.get_executor(), loopback_options())),
      connectors_(make_connectors(*loopback_http_, [this](std::string unit) {
          return fixed_metrics_address(std::move(unit));
      })) {
    HttpClientOptions api_options;
    api_options.ca_file = policy.cloudflare.ca_file;
    for (auto& [name, api_token] : api_tokens) {
        Account& account = accounts_[name];
        account.http = make_http_client(context_.get_executor(), api_options);
        auto hear = [this, credential = name](const std::vector<RateLimit>& limits) {
            budget_.heard(credential, limits, clock_->boot_now());
        };
        auto api = make_tunnel_api(*account.http, policy.cloudflare.api_url, std::move(api_token),
                                   std::move(hear));
        account.api = make_budgeted_api(std::move(api), name, budget_, *clock_);
    }
    orphans_ = orphaned_rotations(*states_, policy.tunnels);
    build_agents(policy);
}

void Application::build_agents(Policy& policy) {
    const std::string host_id = read_host_id();
    for (TunnelPolicy& tunnel : policy.tunnels) {
        TunnelApi& api = *accounts_.at(tunnel.credential).api;
        const Boundaries world{*clock_,  api,      *units_,  *connectors_,
                               *tokens_, *states_, *random_, budget_};
        const double share = splay_share(host_id, tunnel.name);
        agents_.emplace_back(context_.get_executor(), std::move(tunnel), share, world, *log_,
                             [this](const TunnelAgent& agent) {
                                 control_.changed(agent.name());
                                 tell_status();
                             });
    }
}

int Application::run() {
    bus_.start();
    for (TunnelAgent& agent : agents_) agent.load();
    Event started;
    started.kind = EventKind::daemon_started;
    started.priority = Priority::notice;
    started.message = fmt::format("keyturnd {} looks after {} tunnel{}", KEYTURN_VERSION,
                                  agents_.size(), agents_.size() == 1 ? "" : "s");
    log_->record(started);
    for (const Event& orphan : orphans_) log_->record(orphan);
    for (TunnelAgent& agent : agents_) spawn(agent.run());
    if (const auto interval = notifier_->watchdog_interval()) spawn(feed_watchdog(*interval));
    spawn(heed_the_clock());
    spawn(tell_ready_at_last());
    context_.run();
    return failed_ ? exit_error : exit_ok;
}

void Application::spawn(Task<> work) {
    boost::asio::cancellation_signal& cancellation = cancellations_.emplace_back();
    ++running_;
    auto report = [this](std::exception_ptr error) { ended(error); };
    boost::asio::co_spawn(context_, std::move(work),
                          boost::asio::bind_cancellation_slot(cancellation.slot(), report));
}

/// A loop of ours never ends by itself. If one does by an exception, that is a bug: the daemon
/// ends, systemd starts it again, and it resumes from the state on disk.
void Application::ended(std::exception_ptr error) {
    --running_;
    if (error && !stopping_) {
        failed_ = true;
        try {
            std::rethrow_exception(error);
        } catch (const std::exception& exception) {
            std::fprintf(stderr, "<2>keyturnd: a loop ended: %s\n", exception.what());
        }
        stop();
    }
    if (stopping_ && running_ == 0) {
        bus_.stop();
        signals_.cancel();
        context_.stop();
    }
}

void Application::stop() {
    if (stopping_) return;
    stopping_ = true;
    notifier_->stopping();
    Event event;
    event.kind = EventKind::daemon_stopping;
    event.priority = Priority::notice;
    event.message = "keyturnd stops; an open rotation goes on at the next start";
    log_->record(event);
    for (boost::asio::cancellation_signal& cancellation : cancellations_) {
        cancellation.emit(boost::asio::cancellation_type::terminal);
    }
    auto deadline = std::make_shared<boost::asio::steady_timer>(context_, drain_deadline);
    deadline->async_wait([this, deadline](const boost::system::error_code&) { context_.stop(); });
    if (running_ == 0) context_.stop();
}

void Application::tell_status() {
    if (!stopping_ && ready_) notifier_->status(service_status(statuses()));
}

/// Once: keyturnctl can be used right after `systemctl start`.
void Application::tell_ready() {
    if (!stopping_ && !std::exchange(ready_, true)) notifier_->ready(service_status(statuses()));
}

/// Where there is no bus now, we are ready all the same: what was begun goes on.
Task<> Application::tell_ready_at_last() {
    const BootTime latest = clock_->boot_now() + bus_patience;
    co_await clock_->sleep_until(latest);
    tell_ready();
}

std::vector<TunnelStatus> Application::statuses() const {
    std::vector<TunnelStatus> statuses;
    for (const TunnelAgent& agent : agents_) statuses.push_back(agent.status());
    return statuses;
}

Task<> Application::heed_the_clock() {
    for (;;) {
        co_await clock_->wall_clock_set();
        for (TunnelAgent& agent : agents_) agent.wall_clock_set();
    }
}

Task<> Application::feed_watchdog(Milliseconds interval) {
    for (;;) {
        notifier_->watchdog();
        const BootTime next = clock_->boot_now() + interval;
        co_await clock_->sleep_until(next);
    }
}

Task<std::optional<std::string>> Application::fixed_metrics_address(std::string unit) {
    const Result<UnitSettings> settings = co_await units_->settings(std::move(unit));
    std::optional<std::string> address;
    if (settings) address = metrics_address_of(*settings);
    co_return address;
}

TunnelAgent* Application::find(const std::string& tunnel) {
    for (TunnelAgent& agent : agents_) {
        if (agent.name() == tunnel) return &agent;
    }
    return nullptr;
}

ControlHandlers Application::handlers() {
    const auto no_such = [](const std::string& tunnel) {
        return Error{Fault::missing, fmt::format("no tunnel {} in the policy", tunnel), {}};
    };
    ControlHandlers handlers;
    handlers.status = [this] { return statuses(); };
    handlers.plan = [this](unsigned count) {
        std::vector<TunnelPlan> plans;
        for (const TunnelAgent& agent : agents_) plans.push_back(agent.plan(count));
        return plans;
    };
    handlers.reachable = [this] { tell_ready(); };
    handlers.rotate = [this, no_such](const std::string& tunnel,
                                      const RotateRequest& request) -> Result<void> {
        TunnelAgent* agent = find(tunnel);
        return agent == nullptr ? Result<void>(no_such(tunnel)) : agent->request_rotation(request);
    };
    handlers.decide = [this, no_such](const std::string& tunnel,
                                      Decision decision) -> Result<void> {
        TunnelAgent* agent = find(tunnel);
        return agent == nullptr ? Result<void>(no_such(tunnel)) : agent->decide(decision);
    };
    return handlers;
}

Result<std::map<std::string, Secret>> read_credentials(const Policy& policy) {
    std::map<std::string, Secret> api_tokens;
    for (const auto& [name, source] : policy.cloudflare.credentials) {
        Result<Secret> api_token = read_credential(source);
        if (!api_token) return with_context("credential " + name, api_token.error());
        api_tokens.emplace(name, std::move(*api_token));
    }
    return api_tokens;
}

}  // namespace

int run_application(const CommandLine& options, Policy policy) {
    Result<std::map<std::string, Secret>> api_tokens = read_credentials(policy);
    if (!api_tokens) {
        std::fprintf(stderr, "<3>keyturnd: %s\n", api_tokens.error().text.c_str());
        return exit_policy;
    }
    Result<std::unique_ptr<StateStore>> states = make_state_store(
        options.state_directory, [](const std::string& tunnel, const std::string& sentence) {
            std::fprintf(stderr, "<4>keyturnd: %s: %s\n", tunnel.c_str(), sentence.c_str());
        });
    if (!states) {
        std::fprintf(stderr, "<3>keyturnd: %s\n", states.error().text.c_str());
        return states.error().fault == Fault::conflict ? exit_locked : exit_error;
    }
    Application application(options, std::move(policy), std::move(*api_tokens), std::move(*states));
    return application.run();
}

}  // namespace keyturn
