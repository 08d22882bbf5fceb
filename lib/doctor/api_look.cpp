#include "doctor/api_look.hpp"

#include "cloudflare/api_token_check.hpp"
#include "cloudflare/tunnel_api.hpp"
#include "http/http_client.hpp"
#include "setup/foreground.hpp"
#include "token/token.hpp"

#include <algorithm>
#include <chrono>
#include <memory>

namespace keyturn {

namespace {

class Look {
  public:
    Look(Foreground& host, const CloudflarePolicy& policy, HostFacts& facts)
        : host_(host), policy_(policy), facts_(facts) {
        HttpClientOptions options;
        options.ca_file = policy.ca_file;
        http_ = make_http_client(host.context().get_executor(), options);
    }

    void ask_about(CredentialLook& credential) {
        const auto uses = [&](const TunnelSeen& tunnel) {
            return tunnel.credential == credential.seen.name;
        };
        const auto first = std::ranges::find_if(facts_.tunnels, uses);
        if (first == facts_.tunnels.end()) return;
        auto check = host_.wait(check_api_token(*http_, policy_.api_url,
                                                credential.api_token->clone(), first->account));
        if (!check) {
            credential.seen.no_answer = check.error().text;
            return;
        }
        facts_.network.own_time = host_.clock().wall_now();
        facts_.network.server_time = check->server_time;
        credential.seen.check = std::move(*check);
        if (credential.seen.check->verdict != ApiTokenVerdict::active) return;
        const auto api = make_tunnel_api(*http_, policy_.api_url, credential.api_token->clone());
        for (TunnelSeen& tunnel : facts_.tunnels)
            if (uses(tunnel)) ask_about(tunnel, *api);
        for (const TunnelSeen& tunnel : facts_.tunnels)
            if (uses(tunnel) && tunnel.read.fault && passes_by_itself(*tunnel.read.fault))
                credential.seen.no_answer = tunnel.read.text;
    }

  private:
    void ask_about(TunnelSeen& tunnel, TunnelApi& api) {
        const TunnelRef ref{tunnel.account, tunnel.tunnel};
        const auto known = host_.wait(api.get_tunnel(ref));
        if (!known) {
            tunnel.read = {known.error().fault, known.error().text};
            return;
        }
        tunnel.deleted = known->deleted;
        if (tunnel.deleted) return;
        const auto token = host_.wait(api.get_token(ref));
        if (token) {
            const auto decoded = decode_token(token->token.reveal());
            if (decoded) tunnel.fingerprint = fingerprint_of(*decoded);
        } else {
            tunnel.write = {token.error().fault, token.error().text};
        }
        auto connectors = host_.wait(api.list_connectors(ref));
        if (connectors) tunnel.connectors = std::move(*connectors);
    }

    Foreground& host_;
    const CloudflarePolicy& policy_;
    HostFacts& facts_;
    std::unique_ptr<HttpClient> http_;
};

}  // namespace

void look_at_cloudflare(Foreground& host, const CloudflarePolicy& policy, bool reachable,
                        std::vector<CredentialLook>& credentials, HostFacts& facts) {
    Look look(host, policy, facts);
    for (CredentialLook& credential : credentials)
        if (reachable && credential.api_token) look.ask_about(credential);
}

}  // namespace keyturn
