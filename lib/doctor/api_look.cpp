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

/// A person waits, and an API that is this slow is a finding.
HttpLimits impatient() {
    HttpLimits limits;
    limits.resolve = limits.connect = limits.handshake = std::chrono::seconds{3};
    limits.exchange = std::chrono::seconds{5};
    return limits;
}

/// What Cloudflare says about a tunnel.
struct TunnelAnswers {
    ApiAnswer read;
    ApiAnswer write;
    bool deleted = false;
    std::string fingerprint;
    std::optional<std::vector<Connector>> connectors;
};

Task<Result<TunnelAnswers>> ask_about(TunnelApi& api, TunnelRef ref) {
    TunnelAnswers answers;
    const auto known = co_await api.get_tunnel(ref);
    if (!known) {
        answers.read = {known.error().fault, known.error().text};
        co_return answers;
    }
    answers.deleted = known->deleted;
    if (answers.deleted) co_return answers;
    const auto token = co_await api.get_token(ref);
    if (!token) {
        answers.write = {token.error().fault, token.error().text};
        if (passes_by_itself(token.error().fault)) co_return answers;
    } else if (const auto decoded = decode_token(token->token.reveal())) {
        answers.fingerprint = fingerprint_of(*decoded);
    }
    auto connectors = co_await api.list_connectors(ref);
    if (connectors) answers.connectors = std::move(*connectors);
    co_return answers;
}

class Look {
  public:
    Look(Foreground& host, const CloudflarePolicy& policy, const ProxyChoice& proxy,
         HostFacts& facts)
        : host_(host), policy_(policy), facts_(facts) {
        HttpClientOptions options;
        options.ca_file = policy.ca_file;
        options.limits = impatient();
        options.proxy = proxy;
        http_ = make_http_client(host.context().get_executor(), options);
    }

    void ask_about(CredentialLook& credential) {
        const auto uses = [&](const TunnelSeen& tunnel) {
            return tunnel.credential == credential.seen.name;
        };
        const auto first = std::ranges::find_if(facts_.tunnels, uses);
        if (first == facts_.tunnels.end()) return;
        if (!silence_.empty()) {
            credential.seen.no_answer = silence_;
            return;
        }
        auto check = host_.wait(check_api_token(*http_, policy_.api_url,
                                                credential.api_token->clone(), first->account));
        if (!check) {
            credential.seen.no_answer = silence_ = check.error().text;
            return;
        }
        facts_.network.own_time = host_.clock().wall_now();
        facts_.network.server_time = check->server_time;
        credential.seen.check = std::move(*check);
        if (credential.seen.check->verdict != ApiTokenVerdict::active) return;
        const auto api = make_tunnel_api(*http_, policy_.api_url, credential.api_token->clone());
        std::vector<TunnelSeen*> asked;
        std::vector<Task<Result<TunnelAnswers>>> questions;
        for (TunnelSeen& tunnel : facts_.tunnels) {
            if (!uses(tunnel)) continue;
            asked.push_back(&tunnel);
            questions.push_back(keyturn::ask_about(*api, TunnelRef{tunnel.account, tunnel.tunnel}));
        }
        auto answers = host_.wait_for_all(std::move(questions));
        for (std::size_t i = 0; i < asked.size(); ++i) take(answers[i], *asked[i], credential);
    }

  private:
    static void take(Result<TunnelAnswers>& answers, TunnelSeen& tunnel,
                     CredentialLook& credential) {
        if (!answers) {
            credential.seen.no_answer = answers.error().text;
            return;
        }
        for (const ApiAnswer* answer : {&answers->read, &answers->write})
            if (answer->fault && passes_by_itself(*answer->fault))
                credential.seen.no_answer = answer->text;
        tunnel.read = std::move(answers->read);
        tunnel.write = std::move(answers->write);
        tunnel.deleted = answers->deleted;
        tunnel.fingerprint = std::move(answers->fingerprint);
        tunnel.connectors = std::move(answers->connectors);
    }

    Foreground& host_;
    const CloudflarePolicy& policy_;
    HostFacts& facts_;
    std::unique_ptr<HttpClient> http_;
    std::string silence_;  ///< Why the API did not answer; nobody waits for that again.
};

}  // namespace

void look_at_cloudflare(Foreground& host, const CloudflarePolicy& policy, const ProxyChoice& proxy,
                        bool reachable, std::vector<CredentialLook>& credentials,
                        HostFacts& facts) {
    Look look(host, policy, proxy, facts);
    for (CredentialLook& credential : credentials)
        if (reachable && credential.api_token) look.ask_about(credential);
}

}  // namespace keyturn
