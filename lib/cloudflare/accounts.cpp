#include "cloudflare/accounts.hpp"

#include "cloudflare/budgeted_api.hpp"

#include <utility>

namespace keyturn {

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

}  // namespace keyturn
