#pragma once

#include "model/connector.hpp"
#include "simulation/chance.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace keyturn::simulation {

/// Names a tunnel secret without being one. Counted up within a run; never 0.
using SecretId = int;

/// The edge lets an old token in for at most this long after a PATCH.
inline constexpr Milliseconds edge_lag_max = std::chrono::seconds{20};

/// One tunnel at Cloudflare: whose secret it holds, what the API shows of that, and which tokens
/// the edge takes. A secret that is set takes effect at the API at once; what is read back and what
/// the edge does may be behind.
class CloudModel {
  public:
    CloudModel(Chance& chance, SecretId secret) : chance_(chance), current_(secret) {}

    /// The truth.
    [[nodiscard]] SecretId current() const { return current_; }

    /// What GET token answers.
    [[nodiscard]] SecretId shown(BootTime now) const {
        return now < stale_until_ ? before_ : current_;
    }

    /// Whether the edge lets a connection in.
    [[nodiscard]] bool accepts(SecretId token, BootTime now) const {
        return token == current_ || (token == before_ && now < edge_lags_until_);
    }

    /// A PATCH of keyturnd's.
    void set(SecretId secret, BootTime now);

    /// A PATCH of somebody else's.
    void set_by_stranger(SecretId secret, BootTime now);
    [[nodiscard]] bool set_by_us() const { return set_by_us_; }

    /// A PATCH that is carried out later, unless another one comes first.
    void set_later(SecretId secret, BootTime when);

    /// Carries out what is due.
    void advance(BootTime now);

    /// Whether the host reaches the edge.
    [[nodiscard]] bool reachable() const { return reachable_; }
    void set_reachable(bool reachable) { reachable_ = reachable; }

    /// Somebody who has the token of now. `origin_ip`: where the API says it comes from.
    void attach_foreign(std::string connector, std::string origin_ip) {
        foreign_.push_back(Foreign{std::move(connector), std::move(origin_ip), current_});
    }
    void detach_foreign() { foreign_.clear(); }
    /// Whoever still has a token that the edge takes is back at once.
    void evict_foreign(const std::string& connector, BootTime now);

    struct Foreign {
        std::string connector;
        std::string origin_ip;
        SecretId token = 0;
    };
    [[nodiscard]] const std::vector<Foreign>& foreign() const { return foreign_; }
    /// Somebody is attached who would not come back if he were dropped.
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
