#pragma once

#include "model/connector.hpp"
#include "simulation/chance.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace keyturn::simulation {

/// Stands for a tunnel secret without being one. Counts up within a run; never 0.
using SecretId = int;

/// The edge accepts an old token for at most this long after a PATCH.
inline constexpr Milliseconds edge_lag_max = std::chrono::seconds{20};

/// One tunnel at Cloudflare: whose secret it has, what the API shows of that, and which tokens the
/// edge accepts. A new secret takes effect at the API at once. What is read back, and what the edge
/// does, may be behind.
class CloudModel {
  public:
    CloudModel(Chance& chance, SecretId secret) : chance_(chance), current_(secret) {}

    /// The true current secret.
    [[nodiscard]] SecretId current() const { return current_; }

    /// The answer of GET token.
    [[nodiscard]] SecretId shown(BootTime now) const {
        return now < stale_until_ ? before_ : current_;
    }

    /// True if the edge accepts a connection with this token.
    [[nodiscard]] bool accepts(SecretId token, BootTime now) const {
        return token == current_ || (token == before_ && now < edge_lags_until_);
    }

    /// A PATCH by keyturnd.
    void set(SecretId secret, BootTime now);

    /// A PATCH by somebody else.
    void set_by_stranger(SecretId secret, BootTime now);
    [[nodiscard]] bool set_by_us() const { return set_by_us_; }

    /// A PATCH that takes effect later, unless another one comes first.
    void set_later(SecretId secret, BootTime when);

    /// Applies what is due.
    void advance(BootTime now);

    /// True if the host reaches the edge.
    [[nodiscard]] bool reachable() const { return reachable_; }
    void set_reachable(bool reachable) { reachable_ = reachable; }

    /// Connects somebody who has the current token. `origin_ip` is the address that the API
    /// reports.
    void attach_foreign(std::string connector, std::string origin_ip) {
        foreign_.push_back(Foreign{std::move(connector), std::move(origin_ip), current_});
    }
    void detach_foreign() { foreign_.clear(); }
    /// A connector with a token that the edge accepts comes back at once.
    void evict_foreign(const std::string& connector, BootTime now);

    struct Foreign {
        std::string connector;
        std::string origin_ip;
        SecretId token = 0;
    };
    [[nodiscard]] const std::vector<Foreign>& foreign() const { return foreign_; }
    /// True if somebody is connected who could not come back after being dropped.
    [[nodiscard]] bool stranger_stays(BootTime now) const {
        return std::ranges::any_of(
            foreign_, [&](const Foreign& foreign) { return !accepts(foreign.token, now); });
    }

  private:
    struct Late {
        SecretId secret;
        BootTime when;
    };

    Chance& chance_;
    SecretId current_;
    SecretId before_ = 0;
    bool set_by_us_ = true;
    bool reachable_ = true;
    BootTime stale_until_{};
    BootTime edge_lags_until_{};
    std::optional<Late> late_;
    std::vector<Foreign> foreign_;
};

}  // namespace keyturn::simulation
