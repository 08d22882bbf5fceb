#include "simulation/fleet/cloud_model.hpp"

#include "fakes/web_tunnel.hpp"
#include "simulation/fleet/host.hpp"
#include "token/base64.hpp"

#include <fmt/format.h>

#include <utility>

namespace keyturn::fleet_simulation {

namespace {

/// How long Cloudflare may show what was before.
constexpr Milliseconds stale_max = std::chrono::seconds{20};

}  // namespace

CloudModel::CloudModel(World& world) : world_(world) {
    const Secret first = Secret::copy_of(std::string(secret_size_min, 'o'));
    held_ = token_with(encode_secret(first).reveal());
    before_ = held_;
}

Fingerprint CloudModel::token_with(std::string_view secret) {
    auto bytes = decode_base64(secret);
    const TunnelToken token{account_id, tunnel_id, std::move(*bytes), ""};
    const Fingerprint fingerprint = fingerprint_of(token);
    texts_.try_emplace(fingerprint, std::string(encode_token(token).reveal()));
    return fingerprint;
}

bool CloudModel::has_or_had(const Fingerprint& token, Milliseconds within) const {
    if (token == held_) return true;
    const auto left = left_.find(token);
    return left != left_.end() && world_.now() - left->second <= within;
}

Result<std::optional<Secret>> CloudModel::take(const Fingerprint& token) {
    if (token != held_) {
        left_[held_] = world_.now();
        before_ = std::exchange(held_, token);
        changed_ = world_.now();
        world_.tell(fmt::format("Cloudflare has token {}", token));
    }
    return std::optional<Secret>(Secret::copy_of(text_of(token)));
}

void CloudModel::rotate_by_somebody_else() {
    const std::string secret =
        fmt::format("{:016x}{:016x}", world_.dice.roll(), world_.dice.roll());
    static_cast<void>(take(token_with(encode_secret(Secret::copy_of(secret)).reveal())));
}

Result<TokenAnswer> CloudModel::token() {
    const bool fresh = world_.now() - changed_ > stale_max;
    const bool stale = !fresh && world_.strikes(0.1, "stale answer of Cloudflare");
    TokenAnswer answer;
    answer.token = Secret::copy_of(text_of(stale ? before_ : held_));
    answer.server_time = world_.clock.true_now();
    return answer;
}

Result<std::vector<Connector>> CloudModel::list() {
    const bool recent = world_.now() - listed_at_ < std::chrono::seconds{3};
    if (recent && world_.strikes(0.1, "old list of connectors")) return listed_;
    listed_.clear();
    listed_at_ = world_.now();
    for (const Host* host : hosts) {
        for (const auto& unit : host->units) {
            if (!unit->serves()) continue;
            listed_.push_back(
                Connector{unit->connector(), host->address(), "", "", unit->connections()});
        }
    }
    return listed_;
}

void CloudModel::evict(const std::string& connector) {
    for (const Host* host : hosts) {
        for (const auto& unit : host->units) {
            if (connector.empty() || unit->connector() == connector) unit->be_evicted();
        }
    }
}

// --- As one host reaches it ----------------------------------------------------------------------

Task<Result<TunnelFacts>> CloudHandle::get_tunnel(TunnelRef) {
    std::function<Result<TunnelFacts>()> ask = [] { return Result<TunnelFacts>(TunnelFacts()); };
    auto facts = co_await host_.call(Server::cloud, std::move(ask), Effect::none);
    co_return facts;
}

Task<Result<TokenAnswer>> CloudHandle::get_token(TunnelRef) {
    CloudModel& cloud = host_.cloud();
    std::function<Result<TokenAnswer>()> ask = [&cloud] { return cloud.token(); };
    auto answer = co_await host_.call(Server::cloud, std::move(ask), Effect::none);
    co_return answer;
}

Task<Result<std::optional<Secret>>> CloudHandle::patch_secret(TunnelRef, const Secret& secret) {
    CloudModel& cloud = host_.cloud();
    const Fingerprint token = cloud.token_with(secret.reveal());
    host_.sends_secret(token);
    std::function<Result<std::optional<Secret>>()> send = [&cloud, token] {
        return cloud.take(token);
    };
    auto answer = co_await host_.call(Server::cloud, std::move(send), Effect::patch);
    co_return answer;
}

Task<Result<std::vector<Connector>>> CloudHandle::list_connectors(TunnelRef) {
    CloudModel& cloud = host_.cloud();
    std::function<Result<std::vector<Connector>>()> ask = [&cloud] { return cloud.list(); };
    auto listed = co_await host_.call(Server::cloud, std::move(ask), Effect::none);
    co_return listed;
}

Task<Result<void>> CloudHandle::evict(TunnelRef, std::string connector) {
    CloudModel& cloud = host_.cloud();
    std::function<Result<void>()> send = [&cloud, connector] {
        cloud.evict(connector);
        return Result<void>();
    };
    auto evicted = co_await host_.call(Server::cloud, std::move(send), Effect::evict);
    co_return evicted;
}

}  // namespace keyturn::fleet_simulation
