#include "cloudflared/connectors.hpp"

#include "cloudflared/configuration_file.hpp"
#include "cloudflared/listening_sockets.hpp"
#include "cloudflared/metrics_servers.hpp"
#include "cloudflared/readiness_message.hpp"
#include "http/http_client.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <utility>

namespace keyturn {

namespace {

/// cloudflared has one server. A unit that runs more listeners is asked at the lowest ports only.
constexpr std::size_t servers_asked_max = 8;

HttpOrigin origin_of(const ServerAddress& server) {
    return HttpOrigin{server.host, server.port, false};
}

HttpRequest get(const char* target) {
    HttpRequest request;
    request.target = target;
    return request;
}

/// What asking one server came to: an answer of cloudflared, or why there is none.
struct Asked {
    std::optional<Readiness> readiness;
    std::optional<Error> failure;
};

class MetricsConnectors final : public Connectors {
  public:
    MetricsConnectors(HttpClient& http, FixedMetricsAddress fixed)
        : http_(http), fixed_(std::move(fixed)) {}

    Task<Result<Readiness>> readiness(UnitState unit) override;
    ConnectorFiles files(const UnitSettings& settings) override { return look_at_files(settings); }

  private:
    Task<Result<std::vector<ServerAddress>>> find_servers(UnitState unit);
    Task<std::vector<ServerAddress>> fixed_server(std::string unit);
    Task<Asked> ask(ServerAddress server);
    Task<Result<std::string>> tunnel_of(ServerAddress server, std::string connector_id);

    HttpClient& http_;
    FixedMetricsAddress fixed_;
};

Task<Result<Readiness>> MetricsConnectors::readiness(UnitState unit) {
    const Result<std::vector<ServerAddress>> servers = co_await find_servers(unit);
    if (!servers) co_return servers.error();
    std::optional<Error> failure;
    for (const ServerAddress& server : *servers) {
        Asked asked = co_await ask(server);
        if (asked.readiness) co_return std::move(*asked.readiness);
        if (asked.failure && asked.failure->fault == Fault::cancelled) co_return *asked.failure;
        if (asked.failure && !failure) failure = std::move(asked.failure);
    }
    if (failure) co_return with_context(unit.name, std::move(*failure));
    co_return Error{Fault::missing,
                    fmt::format("no metrics server of cloudflared listens in {}", unit.name)};
}

Task<Result<std::vector<ServerAddress>>> MetricsConnectors::find_servers(UnitState unit) {
    if (unit.control_group_id == 0)
        co_return Error{Fault::missing, fmt::format("{} has no process", unit.name)};
    Result<std::vector<ListeningSocket>> sockets = listening_sockets();
    if (!sockets) {
        std::vector<ServerAddress> fixed = co_await fixed_server(unit.name);
        if (fixed.empty()) co_return with_context(unit.name, sockets.error());
        co_return fixed;
    }
    GroupServers servers = servers_of_group(std::move(*sockets), unit.control_group_id);
    if (!servers.kernel_tells) {
        std::vector<ServerAddress> fixed = co_await fixed_server(unit.name);
        co_return fixed;
    }
    if (servers.reachable.empty() && !servers.elsewhere.empty()) {
        co_return Error{Fault::invalid,
                        fmt::format("{} listens on {} only: start cloudflared with --metrics "
                                    "127.0.0.1:PORT",
                                    unit.name, fmt::join(servers.elsewhere, ", "))};
    }
    if (servers.reachable.size() > servers_asked_max) servers.reachable.resize(servers_asked_max);
    co_return std::move(servers.reachable);
}

Task<std::vector<ServerAddress>> MetricsConnectors::fixed_server(std::string unit) {
    std::vector<ServerAddress> servers;
    if (!fixed_) co_return servers;
    const std::optional<std::string> address = co_await fixed_(std::move(unit));
    if (!address) co_return servers;
    const auto server = read_server_address(*address);
    if (server) servers.push_back(*server);
    co_return servers;
}

/// A server that gives another answer than cloudflared's is neither: the unit may run more than
/// cloudflared.
Task<Asked> MetricsConnectors::ask(ServerAddress server) {
    Asked asked;
    HttpOrigin origin = origin_of(server);
    HttpRequest request = get("/ready");
    const Result<HttpResponse> response =
        co_await http_.send(std::move(origin), std::move(request));
    if (!response) {
        Error error = response.error();
        if (error.fault == Fault::invalid) co_return asked;
        if (error.fault != Fault::cancelled) error.fault = Fault::unreachable;
        asked.failure = with_context("/ready", std::move(error));
        co_return asked;
    }
    asked.readiness = read_ready(response->status, response->body.reveal());
    if (!asked.readiness) co_return asked;
    const std::string connector_id = asked.readiness->connector_id;
    Result<std::string> tunnel = co_await tunnel_of(server, connector_id);
    if (tunnel) {
        asked.readiness->tunnel = std::move(*tunnel);
    } else {
        asked.readiness.reset();
        asked.failure = tunnel.error();
    }
    co_return asked;
}

/// Empty for a cloudflared that does not serve it. Two processes in two answers are no answer: the
/// unit was restarted in between.
Task<Result<std::string>> MetricsConnectors::tunnel_of(ServerAddress server,
                                                       std::string connector_id) {
    HttpOrigin origin = origin_of(server);
    HttpRequest request = get("/diag/tunnel");
    const Result<HttpResponse> response =
        co_await http_.send(std::move(origin), std::move(request));
    if (!response) {
        Error error = response.error();
        if (error.fault != Fault::cancelled) error.fault = Fault::unreachable;
        co_return with_context("/diag/tunnel", std::move(error));
    }
    const auto diagnosis = read_tunnel_diagnosis(response->status, response->body.reveal());
    if (!diagnosis) co_return std::string();
    const bool both_known = !diagnosis->connector_id.empty() && !connector_id.empty();
    if (both_known && diagnosis->connector_id != connector_id)
        co_return Error{Fault::unreachable, "cloudflared was restarted while it was asked"};
    co_return diagnosis->tunnel;
}

}  // namespace

HttpLimits connector_http_limits() {
    HttpLimits limits;
    limits.resolve = std::chrono::milliseconds{500};
    limits.connect = std::chrono::milliseconds{500};
    limits.exchange = std::chrono::milliseconds{1'500};
    limits.body_bytes_max = 64 * 1024;
    return limits;
}

std::unique_ptr<Connectors> make_connectors(HttpClient& http, FixedMetricsAddress fixed) {
    return std::make_unique<MetricsConnectors>(http, std::move(fixed));
}

}  // namespace keyturn
