#include "cloudflare/budgeted_api.hpp"

#include "clock/clock.hpp"
#include "cloudflare/answer_headers.hpp"
#include "cloudflare/api_budget.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <type_traits>
#include <utility>

namespace keyturn {

namespace {

class BudgetedApi final : public TunnelApi {
  public:
    BudgetedApi(std::unique_ptr<TunnelApi> api, std::string credential, ApiBudget& budget,
                const Clock& clock)
        : api_(std::move(api)),
          credential_(std::move(credential)),
          budget_(budget),
          clock_(clock) {}

    Task<Result<TunnelFacts>> get_tunnel(TunnelRef tunnel) override {
        return within_budget("GET tunnel", &TunnelApi::get_tunnel, std::move(tunnel));
    }
    Task<Result<TokenAnswer>> get_token(TunnelRef tunnel) override {
        return within_budget("GET token", &TunnelApi::get_token, std::move(tunnel));
    }
    Task<Result<std::optional<Secret>>> patch_secret(TunnelRef tunnel,
                                                     const Secret& secret) override {
        return within_budget("PATCH tunnel_secret", &TunnelApi::patch_secret, std::move(tunnel),
                             secret);
    }
    Task<Result<std::vector<Connector>>> list_connectors(TunnelRef tunnel) override {
        return within_budget("GET connections", &TunnelApi::list_connectors, std::move(tunnel));
    }
    Task<Result<void>> evict(TunnelRef tunnel, std::string connector) override {
        return within_budget("DELETE connections", &TunnelApi::evict, std::move(tunnel),
                             std::move(connector));
    }
    void close_idle() override { api_->close_idle(); }

  private:
    template <class T, class... Args>
    Task<Result<T>> within_budget(std::string_view name,
                                  Task<Result<T>> (TunnelApi::*call)(Args...),
                                  std::type_identity_t<Args>... args) {
        if (const auto refusal = refusal_of(name)) co_return *refusal;
        auto answer = co_await (*api_.*call)(std::forward<Args>(args)...);
        note(answer);
        co_return answer;
    }

    /// Returns nothing if the call may be made; it has then been counted.
    std::optional<Error> refusal_of(std::string_view name) {
        const BootTime now = clock_.boot_now();
        const ApiBudget::Admission admission = budget_.admit(credential_, now);
        if (admission.at <= now) return std::nullopt;
        const auto wait = std::chrono::ceil<std::chrono::seconds>(admission.at - now);
        return Error{
            Fault::busy,
            fmt::format("{} was not sent: {}{}", name, admission.why, until(admission.at - now)),
            std::min(wait, retry_after_max)};
    }

    template <class T>
    void note(Result<T>& answer) {
        if (answer || answer.error().fault != Fault::busy) {
            budget_.answered(credential_);
            return;
        }
        Error error = answer.error();
        const BootTime now = clock_.boot_now();
        error.text += until(budget_.throttled(credential_, error.retry_after, now) - now);
        answer = std::move(error);
    }

    /// An absolute time stays right even if a status is read much later.
    std::string until(Milliseconds wait) const {
        const std::string at = to_text(clock_.wall_now() + wait + std::chrono::milliseconds{999});
        constexpr std::size_t time = 11;  // "2026-03-01T02:30:00Z": where the time of day begins.
        return fmt::format("; the next call is possible at {} UTC", at.substr(time, 8));
    }

    std::unique_ptr<TunnelApi> api_;
    std::string credential_;
    ApiBudget& budget_;
    const Clock& clock_;
};

}  // namespace

std::unique_ptr<TunnelApi> make_budgeted_api(std::unique_ptr<TunnelApi> api, std::string credential,
                                             ApiBudget& budget, const Clock& clock) {
    return std::make_unique<BudgetedApi>(std::move(api), std::move(credential), budget, clock);
}

}  // namespace keyturn
