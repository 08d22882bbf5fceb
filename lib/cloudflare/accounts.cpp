#include "cloudflare/accounts.hpp"

#include "cloudflare/budgeted_api.hpp"

#include <utility>

namespace keyturn {

namespace {

/// For a host that only follows.
class NoCredential final : public TunnelApi {
  public:
    Task<Result<TunnelFacts>> get_tunnel(TunnelRef) override { co_return refusal(); }
    Task<Result<TokenAnswer>> get_token(TunnelRef) override { co_return refusal(); }
    Task<Result<std::optional<Secret>>> patch_secret(TunnelRef, const Secret&) override {
        co_return refusal();
    }
    Task<Result<std::vector<Connector>>> list_connectors(TunnelRef) override {
        co_return refusal();
    }
    Task<Result<void>> evict(TunnelRef, std::string) override { co_return refusal(); }
    void close_idle() override {}

  private:
    static Error refusal() {
        return Error{
            Fault::denied,
            "the policy of this host has no `credential` for the tunnel; add it, or ask on "
            "a host that has one",
            {}};
    }
};

}  // namespace

Accounts::Accounts(const boost::asio::any_io_executor& executor, const CloudflarePolicy& policy,
                   ApiAccess access, ApiBudget& budget, const Clock& clock) {
    HttpClientOptions options;
    options.proxy = std::move(access.proxy);
    options.ca_file = policy.ca_file;
    for (const auto& [name, source] : policy.credentials) {
        Account& account = accounts_[name];
        account.http = make_http_client(executor, options);
        auto hear = [&budget, &clock, credential = name](const std::vector<RateLimit>& limits) {
            budget.heard(credential, limits, clock.boot_now());
        };
        const bool was_there = !access.missing.contains(name);
        auto read = api_token_reader(source, access.credentials_directory, was_there);
        auto api = make_tunnel_api(*account.http, policy.api_url, std::move(read), std::move(hear));
        account.api = make_budgeted_api(std::move(api), name, budget, clock);
    }
}

TunnelApi& Accounts::api(const std::string& credential) {
    if (!credential.empty()) return *accounts_.at(credential).api;
    if (!none_) none_ = std::make_unique<NoCredential>();
    return *none_;
}

}  // namespace keyturn
