#include "host_facts.hpp"

#include "base/url.hpp"
#include "doctor/api_look.hpp"
#include "doctor/network_look.hpp"
#include "doctor/policy_look.hpp"
#include "doctor/proxy_look.hpp"
#include "doctor/remedy.hpp"
#include "doctor/service_look.hpp"
#include "doctor/system_look.hpp"
#include "doctor/unit_look.hpp"
#include "host.hpp"
#include "keyturnctl/client.hpp"
#include "model/installed_names.hpp"
#include "rights.hpp"
#include "setup/connector_survey.hpp"
#include "setup/foreground.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

namespace keyturn {

namespace {

constexpr const char* own_unit = "keyturnd.service";

class Gathering {
  public:
    explicit Gathering(Progress progress) : progress_(std::move(progress)) {}

    HostFacts run() {
        facts_.now = host_.clock().wall_now();
        progress_("the host");
        look_at_the_policy();
        look_at_the_host();
        if (facts_.system.bus_problem.empty()) {
            progress_("keyturnd");
            look_at_keyturnd();
            progress_("the units");
            look_at_the_units();
        }
        progress_("the network");
        look_at_the_network();
        return std::move(facts_);
    }

  private:
    void look_at_the_policy() {
        auto policy = HostPolicy::read();
        if (!policy) {
            facts_.policy.problem = policy.error().text;
            return;
        }
        facts_.policy.exists = policy->exists();
        policy_ = std::move(*policy);
    }

    void look_at_the_host() {
        // Only this has a deadline for the bus's greeting.
        const auto connected = host_.connect();
        if (connected) {
            auto services = ServiceLook::open();
            if (services) services_.emplace(std::move(*services));
        }
        facts_.system = look_at_system(services_ ? &*services_ : nullptr);
        if (!connected) facts_.system.bus_problem = connected.error().text;
    }

    void look_at_keyturnd() {
        DaemonSeen& daemon = facts_.daemon;
        if (auto state = host_.wait(host_.units().state(own_unit))) daemon.state = *state;
        if (auto settings = host_.wait(host_.units().settings(own_unit))) {
            settings_ = std::move(*settings);
            daemon.need_daemon_reload = settings_.need_daemon_reload;
            add_proxies(settings_.environment, "keyturnd");
            add_proxies(settings_.manager_environment, "systemd");
        }
        if (services_) daemon.service = services_->service(own_unit);
        daemon.others = other_daemons(daemon.state.main_pid);
        if (daemon.state.running()) ask_keyturnd();
    }

    void ask_keyturnd() {
        auto client = Client::open();
        if (!client) {
            facts_.daemon.no_answer = client.error().text;
            return;
        }
        auto statuses = client->tunnels();
        if (!statuses) {
            facts_.daemon.no_answer = statuses.error().text;
            return;
        }
        for (TunnelStatus& status : *statuses) {
            facts_.daemon.known_tunnels.push_back(fmt::format("{} {}", status.name, status.tunnel));
            statuses_.push_back(std::move(status));
        }
    }

    void look_at_the_units() {
        if (policy_) {
            for (const TunnelPolicy& tunnel : policy_->policy().tunnels) add_tunnel(tunnel);
        }
        auto survey = host_.wait(survey_connectors(host_.units()));
        if (!survey || !services_) return;
        facts_.elsewhere = std::move(survey->elsewhere);
        std::map<std::string, std::string> addresses;
        if (policy_) {
            for (const TunnelPolicy& tunnel : policy_->policy().tunnels)
                addresses.insert(tunnel.metrics_addresses.begin(), tunnel.metrics_addresses.end());
        }
        facts_.units = look_at_units(host_, *services_, survey->units, addresses);
        std::vector<std::string> asked;
        for (UnitSeen& unit : facts_.units) {
            assign(unit);
            if (unit.planned_for.empty()) continue;
            asked.push_back(unit.name());
            add_proxies(unit.settings.environment, unit.name());
        }
        for (const TunnelSeen& tunnel : facts_.tunnels)
            if (tunnel.surge_unit) asked.push_back(surge_unit_of(tunnel.name));
        progress_("polkit");
        RightsSeen rights = look_at_rights(asked);
        facts_.rights = std::move(rights.rights);
        facts_.system.polkit_problem = std::move(rights.polkit_problem);
    }

    void add_tunnel(const TunnelPolicy& policy) {
        TunnelSeen tunnel = look_at_tunnel(host_, policy);
        const auto status = std::ranges::find(statuses_, policy.name, &TunnelStatus::name);
        if (status != statuses_.end()) tunnel.status = *status;
        facts_.tunnels.push_back(std::move(tunnel));
    }

    void assign(UnitSeen& unit) const {
        if (!policy_) return;
        for (const TunnelPolicy& tunnel : policy_->policy().tunnels)
            if (is_planned(tunnel.units, unit.settings)) unit.planned_for = tunnel.name;
    }

    void add_proxies(const std::vector<std::string>& environment, const std::string& whose) {
        for (std::string& found : proxy_variables(environment, whose)) {
            auto& all = proxies_;
            if (std::ranges::find(all, found) == all.end()) all.push_back(std::move(found));
        }
    }

    /// Where setup would look for the API, if there is no policy yet.
    [[nodiscard]] CloudflarePolicy cloudflare() const {
        const std::string account(32, '0');
        const NewTunnel any{
            "any", account, "00000000-0000-0000-0000-000000000000", "main", {"any.service"}};
        if (!policy_) return {};
        auto known = policy_->cloudflare(any);
        return known ? std::move(*known) : CloudflarePolicy{};
    }

    static bool uses(const ProxyChoice& proxy, const HttpOrigin& origin) {
        return proxy && *proxy && needs_proxy(origin, (*proxy)->no_proxy);
    }

    /// Where keyturnd connects to on the way to Cloudflare.
    static NetworkTarget first_hop(const HttpOrigin& origin, const ProxyChoice& proxy) {
        const HttpOrigin& hop = uses(proxy, origin) ? (*proxy)->origin : origin;
        return {hop.host, hop.port};
    }

    void look_at_the_network() {
        const bool ask = policy_ && !policy_->policy().tunnels.empty();
        const CloudflarePolicy cloudflare = this->cloudflare();
        // An invalid policy may say any other address.
        const auto url = parse_url(cloudflare.api_url);
        const ProxyChoice proxy =
            look_at_proxy(cloudflare.proxy, settings_, facts_.daemon.state.main_pid);
        if (policy_ && url) network_.api.push_back(first_hop(url->origin, proxy));
        facts_.network = keyturn::look_at_network(host_, network_);
        facts_.network.proxies = std::move(proxies_);
        if (url && uses(proxy, url->origin)) facts_.network.proxy = name_of(**proxy);
        if (!ask) return;
        auto credentials = look_at_credentials(cloudflare, settings_);
        const auto answered = [](const PortSeen& port) { return port.answered; };
        const bool reachable = std::ranges::any_of(facts_.network.api_tcp, answered);
        progress_("Cloudflare's API");
        look_at_cloudflare(host_, cloudflare, proxy, reachable, credentials, facts_);
        for (CredentialLook& credential : credentials)
            facts_.credentials.push_back(std::move(credential.seen));
    }

    Progress progress_;
    NetworkOptions network_;
    Foreground host_;
    std::optional<ServiceLook> services_;
    std::optional<HostPolicy> policy_;
    UnitSettings settings_;  ///< Of keyturnd.service.
    std::vector<TunnelStatus> statuses_;
    std::vector<std::string> proxies_;
    HostFacts facts_;
};

}  // namespace

HostFacts gather_host_facts(Progress progress) {
    return Gathering(std::move(progress)).run();
}

}  // namespace keyturn
