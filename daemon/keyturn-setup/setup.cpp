#include "setup.hpp"

#include "api_credential.hpp"
#include "base/counted.hpp"
#include "bring_in.hpp"
#include "cloudflare/api_token_check.hpp"
#include "cloudflare/tunnel_api.hpp"
#include "doctor/proxy_look.hpp"
#include "host.hpp"
#include "http/http_client.hpp"
#include "interrupted.hpp"
#include "keyturnctl/terminal.hpp"
#include "prompt.hpp"
#include "setup/command.hpp"
#include "setup/host_file.hpp"
#include "survey_view.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <memory>
#include <utility>

namespace keyturn {

namespace {

/// The units of the host that run connectors of one tunnel.
struct FoundTunnel {
    std::string account;
    std::string tunnel;
    std::vector<const SurveyedUnit*> units;
};

std::vector<FoundTunnel> tunnels_in(const Survey& survey) {
    std::vector<FoundTunnel> tunnels;
    for (const SurveyedUnit& unit : survey.units) {
        if (!unit.obstacle.empty()) continue;
        const TunnelToken& token = *unit.running.token;
        auto found = std::ranges::find(tunnels, token.tunnel, &FoundTunnel::tunnel);
        if (found == tunnels.end()) {
            tunnels.push_back({token.account, token.tunnel, {}});
            found = tunnels.end() - 1;
        }
        found->units.push_back(&unit);
    }
    return tunnels;
}

class Setup {
  public:
    explicit Setup(const SetupCommand& command) : command_(command) {}

    Result<ExitCode> run() {
        if (auto connected = host_.connect(); !connected) return connected.error();
        if (auto found = look(); !found) return found.error();
        if (tunnels_.empty()) {
            return Error{
                Fault::missing, "no unit can be brought in; see what is said about each above", {}};
        }
        if (auto token = get_api_token(); !token) return token.error();
        if (auto planned = plan(); !planned) return planned.error();
        if (to_bring_in_.empty() && !changed()) {
            say("Everything is set up. To see the state: keyturnctl status\n");
            return ExitCode::ok;
        }
        show();
        if (command_.manner.dry_run) return ExitCode::ok;
        if (!command_.manner.yes && !confirmed("Make these changes?")) {
            say("Nothing was changed.\n");
            return ExitCode::refused;
        }
        if (auto written = write(); !written) return written.error();
        return bring_all_in();
    }

  private:
    Result<void> look() {
        auto survey = survey_host(host_, command_.manner.dry_run);
        if (!survey) return survey.error();
        survey_ = std::move(*survey);
        if (survey_.units.empty() && survey_.elsewhere.empty())
            return Error{Fault::missing, "this host runs no cloudflared", {}};
        say("Connectors on this host:\n\n{}\n", survey_text(survey_));
        tunnels_ = tunnels_in(survey_);
        auto policy = HostPolicy::read();
        if (!policy) return policy.error();
        policy_ = std::move(*policy);
        return look_at_the_proxy();
    }

    /// The API token is checked through the proxy of the network, and keyturnd needs it, too.
    Result<void> look_at_the_proxy() {
        const ProxyPolicy known = known_cloudflare().proxy;
        UnitSettings settings;
        if (auto seen = host_.wait(host_.units().settings("keyturnd.service")))
            settings = std::move(*seen);
        auto proxy = look_at_proxy(known, settings, command_.environment_of);
        if (!proxy) return proxy.error();
        proxy_ = std::move(*proxy);
        if (!proxy_ || !known.url.empty()) return {};
        say("HTTPS_PROXY names {}: keyturnd will use it to reach Cloudflare.\n", name_of(*proxy_));
        new_login_ = !ProxyLogin::is_stored(proxy_->login);
        return policy_.add(*proxy_);
    }

    /// Where and how to ask Cloudflare, if there is no tunnel in the policy yet.
    [[nodiscard]] CloudflarePolicy known_cloudflare() const {
        const FoundTunnel* const any = tunnels_.empty() ? nullptr : &tunnels_.front();
        if (any == nullptr) return policy_.policy().cloudflare;
        auto known = policy_.cloudflare(as_new_tunnel(*any));
        return known ? std::move(*known) : CloudflarePolicy{};
    }

    static NewTunnel as_new_tunnel(const FoundTunnel& found) {
        std::vector<std::string> units;
        for (const SurveyedUnit* unit : found.units) units.push_back(unit->name());
        return {"tunnel", found.account, found.tunnel, "main", units};
    }

    Result<void> get_api_token() {
        auto stored = ApiCredential::stored();
        if (!command_.api_token_file.empty()) {
            auto token = ApiCredential::from_file(command_.api_token_file);
            if (!token) return token.error();
            if (!stored) say("The stored API token is replaced: {}\n", stored.error().text);
            new_token_ = !stored || !*stored || !same_secret(**stored, *token) ||
                         ApiCredential::is_half_stored() || !ApiCredential::is_in_use(*token);
            api_token_ = std::move(*token);
            return {};
        }
        if (!stored) {
            return with_context(
                "the stored API token cannot be read; to replace it, use --api-token-file",
                stored.error());
        }
        if (*stored) {
            api_token_ = std::move(**stored);
            return {};
        }
        say("keyturn needs an API token of Cloudflare to change the tunnels' secrets.\n"
            "Create one at https://dash.cloudflare.com/profile/api-tokens, for this account only,\n"
            "with the permission \"Cloudflare Tunnel: Edit\".\n");
        auto token = ask_secret("API token (it is not shown): ");
        if (!token)
            return with_context("the API token is missing; use --api-token-file", token.error());
        api_token_ = std::move(*token);
        new_token_ = true;
        return {};
    }

    Result<void> plan() {
        if (auto lasting = check_expiry(); !lasting) return lasting;
        for (const FoundTunnel& found : tunnels_) {
            if (auto planned = plan_tunnel(found); !planned) {
                say("Tunnel {} is left alone: {}\n", found.tunnel, planned.error().text);
                left_alone_ = true;
            }
        }
        if (policy_.policy().tunnels.empty()) {
            return Error{Fault::denied, "no tunnel can be brought in; see above", {}};
        }
        return {};
    }

    /// Where and how to ask Cloudflare.
    struct Api {
        std::string url;
        std::unique_ptr<HttpClient> http;
    };

    Result<Api> api_for(const FoundTunnel& found) {
        const auto cloudflare = policy_.cloudflare(as_new_tunnel(found));
        if (!cloudflare) return cloudflare.error();
        HttpClientOptions options;
        options.ca_file = cloudflare->ca_file;
        options.proxy = proxy_;
        return Api{cloudflare->api_url, make_http_client(host_.context().get_executor(), options)};
    }

    /// Refuses an API token that has expired, and warns of one that soon will. If Cloudflare gives
    /// no clear answer, the calls about each tunnel show what is wrong.
    Result<void> check_expiry() {
        const FoundTunnel& any = tunnels_.front();
        const auto api = api_for(any);
        if (!api) return {};
        const auto check =
            host_.wait(check_api_token(*api->http, api->url, api_token_.clone(), any.account));
        if (!check) return {};
        if (check->verdict == ApiTokenVerdict::inactive) {
            return Error{Fault::denied,
                         fmt::format("the API token has expired or is disabled ({}). Create "
                                     "another one, and use --api-token-file",
                                     check->seen),
                         {}};
        }
        if (check->verdict == ApiTokenVerdict::active &&
            expires_soon(*check, host_.clock().wall_now())) {
            say("The API token expires at {}. Create another one before, and run: {}\n",
                to_text(*check->expires), "sudo keyturnctl setup --api-token-file -");
        }
        return {};
    }

    /// Asks Cloudflare before anything is changed.
    Result<void> plan_tunnel(const FoundTunnel& found) {
        const auto access = api_for(found);
        if (!access) return access.error();
        const auto api = make_tunnel_api(*access->http, access->url, api_token_.clone());
        const TunnelRef tunnel{found.account, found.tunnel};
        const auto facts = host_.wait(api->get_tunnel(tunnel));
        if (!facts) return facts.error();
        const auto token = host_.wait(api->get_token(tunnel));
        if (!token) return token.error();
        const auto connectors = host_.wait(api->list_connectors(tunnel));
        if (!connectors) return connectors.error();
        const TunnelPolicy* known = policy_.find(found.tunnel);
        const bool of_fleet = known != nullptr && known->coordinator;
        const bool elsewhere = connectors->size() > found.units.size() && !of_fleet;
        if (elsewhere && known == nullptr && !command_.other_hosts) {
            return Error{
                Fault::conflict,
                fmt::format("Cloudflare lists {}, and {} in units of this host. If the tunnel also "
                            "runs on other hosts of yours, use --other-hosts, and make a fleet of "
                            "these hosts afterwards (keyturn-fleet(7)). Otherwise, find out who "
                            "else has the token",
                            counted(connectors->size(), "connector"),
                            counted(found.units.size(), "of them runs", "of them run")),
                {}};
        }
        return add_to_policy(found, known, facts->name, elsewhere);
    }

    /// `known` is what the policy has of the tunnel so far; null: nothing.
    Result<void> add_to_policy(const FoundTunnel& found, const TunnelPolicy* known,
                               const std::string& name_at_cloudflare, bool elsewhere) {
        TunnelToBringIn tunnel;
        tunnel.other_hosts = elsewhere;
        NewTunnel wanted;
        if (known != nullptr) {
            tunnel.name = known->name;
            wanted = {known->name, known->account, known->tunnel, known->credential, known->units};
        } else {
            std::vector<std::string> taken;
            for (const TunnelPolicy& other : policy_.policy().tunnels) taken.push_back(other.name);
            tunnel.name = policy_name_of(name_at_cloudflare, taken);
            wanted = {tunnel.name, found.account, found.tunnel, credential_name(), {}};
        }
        bool extended = known == nullptr;
        for (const SurveyedUnit* unit : found.units) {
            if (is_planned(wanted.units, unit->settings)) continue;
            wanted.units.push_back(unit->name());
            extended = true;
        }
        if (extended) {
            if (auto added = policy_.add(wanted); !added) return added;
        }
        for (const SurveyedUnit* unit : found.units)
            if (!takes_from_keyturn(*unit, tunnel.name)) tunnel.units.push_back(unit);
        tunnel.others = tunnel.units.size() < found.units.size();
        if (tunnel.others) add_unfinished(found, tunnel.name);
        if (!tunnel.units.empty()) to_bring_in_.push_back(std::move(tunnel));
        return {};
    }

    /// Also of units that need no more restart.
    void add_unfinished(const FoundTunnel& found, const std::string& name) {
        TunnelToBringIn inside{name, {}, false};
        for (const SurveyedUnit* unit : found.units)
            if (takes_from_keyturn(*unit, name)) inside.units.push_back(unit);
        inside.others = inside.units.size() < found.units.size();
        Unfinished rest = find_unfinished(host_, inside);
        if (rest.any()) unfinished_.emplace_back(std::move(inside), std::move(rest));
    }

    [[nodiscard]] std::string credential_name() const {
        const auto& credentials = policy_.policy().cloudflare.credentials;
        return credentials.size() == 1 ? credentials.begin()->first : "main";
    }

    [[nodiscard]] bool changed() const {
        const auto changes = policy_.changes();
        return new_token_ || new_login_ || !unfinished_.empty() ||
               std::ranges::any_of(changes, is_new);
    }

    void show() const {
        std::vector<FileChange> changes = policy_.changes();
        for (const TunnelToBringIn& tunnel : to_bring_in_) {
            const auto files = changes_of(tunnel);
            if (files) changes.insert(changes.end(), files->begin(), files->end());
        }
        for (const auto& [tunnel, rest] : unfinished_)
            if (rest.surge) changes.push_back(*rest.surge);
        show_changes(changes);
        if (new_token_) say("Store the API token for keyturnd, readable by root only\n");
        if (new_login_) say("Store the login of the proxy for keyturnd, readable by root only\n");
        for (const TunnelToBringIn& tunnel : to_bring_in_) {
            std::vector<std::string> names;
            for (const SurveyedUnit* unit : tunnel.units) names.push_back(unit->name());
            say("Restart {} of tunnel {}, one by one\n", fmt::join(names, ", "), tunnel.name);
        }
        say("\n");
    }

    Result<void> write() {
        if (new_token_) {
            auto place = ApiCredential::store(api_token_, command_.plain_credential);
            if (!place) return place.error();
            say("The API token is in {}\n", *place);
        }
        if (new_login_) {
            auto place = ProxyLogin::store(proxy_->login);
            if (!place) return place.error();
            say("The login of the proxy is in {}\n", *place);
        }
        bool rules = false;
        for (const FileChange& change : policy_.changes()) {
            const auto written = write_public(change);
            if (!written) return written.error();
            if (*written) say("Wrote {}\n", change.path);
            rules = rules || (*written && change.path.ends_with(".rules"));
        }
        for (const auto& [tunnel, rest] : unfinished_)
            if (auto done = finish(host_, tunnel, rest); !done) return done;
        if (rules) {
            const auto told = run_or_fail({"systemctl", "try-restart", "polkit.service"});
            if (!told) return told.error();
        }
        if (auto reloaded = daemon_reload(); !reloaded) return reloaded;
        const auto enabled = run_or_fail({"systemctl", "--quiet", "enable", "keyturnd.service"});
        if (!enabled) return enabled.error();
        // It reads the credential only when it starts.
        const auto started =
            run_or_fail({"systemctl", new_token_ || new_login_ ? "restart" : "reload-or-restart",
                         "keyturnd.service"});
        if (!started) return started.error();
        return {};
    }

    Result<ExitCode> bring_all_in() {
        ExitCode worst = left_alone_ ? ExitCode::refused : ExitCode::ok;
        for (const TunnelToBringIn& tunnel : to_bring_in_) {
            const auto ended = bring_in(host_, tunnel, command_.manner);
            if (!ended) {
                worst = fail(ended.error());
            } else if (*ended != ExitCode::ok) {
                worst = *ended;
            }
        }
        if (worst == ExitCode::ok && !to_bring_in_.empty()) say("\n{}", next_steps(to_bring_in_));
        return worst;
    }

    const SetupCommand& command_;
    Foreground host_;
    Survey survey_;
    std::vector<FoundTunnel> tunnels_;
    HostPolicy policy_;
    Secret api_token_;
    bool new_token_ = false;
    std::shared_ptr<const HttpProxy> proxy_;  ///< Null: none.
    bool new_login_ = false;
    bool left_alone_ = false;
    std::vector<std::pair<TunnelToBringIn, Unfinished>> unfinished_;
    std::vector<TunnelToBringIn> to_bring_in_;
};

}  // namespace

ExitCode fail(const Error& error) {
    std::fflush(stdout);
    say_text(fmt::format("keyturnctl: {}\n", error.text), stderr);
    return exit_code_of(error.fault);
}

ExitCode set_up(const SetupCommand& command) {
    const auto result = Setup(command).run();
    return result ? *result : fail(result.error());
}

}  // namespace keyturn
