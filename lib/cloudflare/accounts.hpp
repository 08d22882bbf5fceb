#pragma once

#include "clock/clock.hpp"
#include "cloudflare/api_budget.hpp"
#include "cloudflare/credentials.hpp"
#include "cloudflare/tunnel_api.hpp"
#include "http/http_client.hpp"
#include "policy/policy.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <map>
#include <memory>
#include <string>

namespace keyturn {

/// The Cloudflare credentials of one policy, each with the connection that uses it.
class Accounts {
  public:
    /// `budget` and `clock` outlive the accounts.
    Accounts(const boost::asio::any_io_executor& executor, const CloudflarePolicy& policy,
             ApiAccess access, ApiBudget& budget, const Clock& clock);

    /// `credential` is one of the policy's, or empty: then each call fails with `denied`.
    [[nodiscard]] TunnelApi& api(const std::string& credential);

  private:
    struct Account {
        std::unique_ptr<HttpClient> http;
        std::unique_ptr<TunnelApi> api;
    };

    std::map<std::string, Account> accounts_;
    std::unique_ptr<TunnelApi> none_;
};

}  // namespace keyturn
