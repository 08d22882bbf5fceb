#pragma once

#include "fakes/fake_host.hpp"

#include <string>
#include <utility>
#include <vector>

namespace keyturn {

/// Cloudflare as all hosts see it: each `FakeHost` has the connectors of one of them.
class SharedCloud final : public TunnelApi {
  public:
    explicit SharedCloud(Clock& clock) : clock_(clock) {}

    Task<Result<TunnelFacts>> get_tunnel(TunnelRef tunnel) override {
        return hosts.front()->get_tunnel(std::move(tunnel));
    }
    Task<Result<TokenAnswer>> get_token(TunnelRef tunnel) override {
        co_await answer();
        co_return co_await hosts.front()->get_token(tunnel);
    }
    Task<Result<std::optional<Secret>>> patch_secret(TunnelRef tunnel,
                                                     const Secret& secret) override {
        for (FakeHost* host : hosts) {
            if (host != hosts.front()) host->hold_secret(secret.reveal());
        }
        return hosts.front()->patch_secret(std::move(tunnel), secret);
    }
    Task<Result<std::vector<Connector>>> list_connectors(TunnelRef tunnel) override {
        co_await answer();
        std::vector<Connector> all;
        for (FakeHost* host : hosts) {
            const auto some = co_await host->list_connectors(tunnel);
            if (!some) co_return some.error();
            all.insert(all.end(), some->begin(), some->end());
        }
        co_return all;
    }
    Task<Result<void>> evict(TunnelRef tunnel, std::string connector) override {
        for (FakeHost* host : hosts) static_cast<void>(co_await host->evict(tunnel, connector));
        co_return Result<void>();
    }
    void close_idle() override {}

    std::vector<FakeHost*> hosts;
    Milliseconds takes{0};  ///< How long it takes to answer a question.

  private:
    Task<> answer() {
        const BootTime answers = clock_.boot_now() + takes;
        if (takes.count() > 0) co_await clock_.sleep_until(answers);
    }

    Clock& clock_;
};

}  // namespace keyturn
