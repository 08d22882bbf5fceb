#include "cloudflared/connectors.hpp"

#include "asio/side_by_side.hpp"
#include "base/url.hpp"
#include "cloudflared/configuration_file.hpp"
#include "cloudflared/metrics_servers.hpp"
#include "cloudflared/readiness_message.hpp"
#include "http/deadline.hpp"
#include "http/http_client.hpp"
#include "sockets/socket_owner.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <utility>

namespace keyturn {

namespace {

/// cloudflared has one server. If a unit has more listeners, this many are asked at a time, and the
/// next check continues with the others.
constexpr std::size_t servers_asked_max = 32;
/// A sample takes no longer than this, so no decision is based on an older one.
constexpr std::chrono::milliseconds readiness_deadline{2'000};
/// For the units of a rotation, each of which is asked several times a second.
constexpr std::size_t connections_kept = 16;
/// How many units are remembered. Beyond that, everything is found out again.
constexpr std::size_t units_known_max = 8'192;

HttpOrigin origin_of(const SocketAddress& server) {
    return HttpOrigin{server.host, server.port, false};
}

HttpRequest get(const char* target) {
    HttpRequest request;
    request.target = target;
    return request;
}

/// The outcome of asking one server: an answer of cloudflared, or why there is none.
struct Asked {
    std::optional<Readiness> readiness;
    std::optional<Error> failure;
};

/// What earlier checks of one unit found out. It only saves questions: each check makes sure that
/// the address still belongs to the unit, and the tunnel is that of one process.
struct Known {
    std::optional<SocketAddress> server;  ///< The one that answered last.
    std::string connector_id;
    std::string tunnel;     ///< The tunnel of this connector id.
    std::size_t first = 0;  ///< Index of the listener with which the next check begins.
};

struct Search {
    std::vector<SocketAddress> servers;
    std::size_t listeners = 0;  ///< How many the unit has; `servers` are those to ask now.
    bool published = false;     ///< The policy says that this is the unit's server.
};

/// The first answer among several servers, and a timer that ends with it.
struct Race {
    explicit Race(const boost::asio::any_io_executor& executor)
        : over(executor, boost::asio::steady_timer::time_point::max()) {}

    boost::asio::steady_timer over;
    Asked asked;
    SocketAddress winner;
};

Error nothing_listens(const UnitServers& servers) {
    if (!servers.elsewhere.empty()) {
        return Error{Fault::invalid, fmt::format("it listens only on {}, which cannot be asked: "
                                                 "start cloudflared with --metrics 127.0.0.1:PORT",
                                                 fmt::join(servers.elsewhere, ", "))};
    }
    return Error{Fault::missing,
                 "nothing listens in the unit's control group: either cloudflared is still "
                 "starting, or it has its own network, as in a container: then publish the port of "
                 "its metrics server on 127.0.0.1 and name it in `metrics_address:` (CONTAINERS in "
                 "keyturn.yaml(5))"};
}

/// Whoever can listen at a published address can answer in the unit's place, so only root may. If
/// nothing listens there, the kernel passes connections on, and only root can tell it to.
Result<void> check_publisher(const SocketAddress& server) {
    const auto listener = listener_at(server);
    if (!listener) return listener.error();
    if (!*listener || (*listener)->owner == 0) return {};
    return Error{Fault::denied,
                 "a program that root did not start listens there, and any user can do that: "
                 "publish the port with a container engine or a socket unit of the system"};
}

Error about_published(const SocketAddress& server, Error error) {
    error.text = fmt::format("{} (`metrics_address:` of the policy): {}",
                             authority_of(origin_of(server)), error.text);
    return error;
}

class MetricsConnectors final : public Connectors {
  public:
    MetricsConnectors(HttpClient& http, MetricsAddresses addresses)
        : http_(http), addresses_(std::move(addresses)) {}

    Task<Result<Readiness>> readiness(UnitState unit) override;
    ConnectorFiles files(const UnitSettings& settings) override { return look_at_files(settings); }

  private:
    Task<Result<Readiness>> look(UnitState unit);
    Task<Result<Search>> find_servers(UnitState unit);
    Task<Result<Search>> fixed_server(std::string unit, Error why);
    Task<Result<Search>> published_server(std::string unit, Error why);
    Error failure_of(const Search& search, Race& race);
    Result<bool> still_listens(const Known& known, const std::vector<std::uint64_t>& groups);
    Task<Asked> ask(std::string unit, SocketAddress server);
    Task<> enter(Race& race, std::string unit, SocketAddress server);
    Task<> wait_for_winner(Race& race);
    Task<> ask_all(Race& race, const std::string& unit, const std::vector<SocketAddress>& servers);
    Task<Result<std::string>> tunnel_of(std::string unit, SocketAddress server,
                                        std::string connector_id);
    Known& known(const std::string& unit);

    HttpClient& http_;
    MetricsAddresses addresses_;
    Listeners listeners_;
    std::map<std::string, Known> known_;
};

Task<Result<Readiness>> MetricsConnectors::readiness(UnitState unit) {
    auto work = look(std::move(unit));
    auto looked = co_await with_deadline(readiness_deadline, std::move(work));
    if (looked) co_return std::move(*looked);
    co_return Error{Fault::unreachable, fmt::format("no complete answer came within {} ms",
                                                    readiness_deadline.count())};
}

Task<Result<Readiness>> MetricsConnectors::look(UnitState unit) {
    const Result<Search> found = co_await find_servers(unit);
    if (!found) co_return found.error();
    const auto executor = co_await boost::asio::this_coro::executor;
    Race race(executor);
    co_await ask_all(race, unit.name, found->servers);
    if (race.asked.readiness && found->published) {
        // Whoever has taken the address over in the meantime may be the one that answered.
        const Result<void> checked = check_publisher(found->servers.front());
        if (!checked) co_return about_published(found->servers.front(), checked.error());
        co_return std::move(*race.asked.readiness);
    }
    if (race.asked.readiness) {
        known(unit.name).server = race.winner;
        co_return std::move(*race.asked.readiness);
    }
    known(unit.name).server.reset();
    co_return failure_of(*found, race);
}

Error MetricsConnectors::failure_of(const Search& search, Race& race) {
    const SocketAddress& first = search.servers.front();
    if (!race.asked.failure && search.published) {
        return about_published(
            first, Error{Fault::invalid, "the server there does not answer like cloudflared"});
    }
    if (!race.asked.failure) {
        return Error{Fault::missing,
                     fmt::format("the server in the unit ({}) does not answer like cloudflared",
                                 authority_of(origin_of(first)))};
    }
    Error failure = std::move(*race.asked.failure);
    if (failure.fault == Fault::cancelled) return failure;
    if (search.published) return about_published(first, std::move(failure));
    if (search.listeners > 1) {
        failure.text += fmt::format(" ({} listeners of the unit, {} of them asked this time)",
                                    search.listeners, search.servers.size());
    }
    return failure;
}

Known& MetricsConnectors::known(const std::string& unit) {
    if (known_.size() >= units_known_max && !known_.contains(unit)) known_.clear();
    return known_[unit];
}

/// True if a connection to that server would still reach the unit and nothing else.
Result<bool> MetricsConnectors::still_listens(const Known& known,
                                              const std::vector<std::uint64_t>& groups) {
    if (!known.server) return false;
    const auto socket = listeners_.at(*known.server);
    if (!socket) return socket.error();
    return *socket && (*socket)->control_group &&
           std::ranges::find(groups, *(*socket)->control_group) != groups.end();
}

Task<Result<Search>> MetricsConnectors::find_servers(UnitState unit) {
    if (unit.control_group_id == 0) co_return Error{Fault::missing, "the unit has no process"};
    const std::vector<std::uint64_t> groups{unit.control_group_id};
    const Result<bool> still = still_listens(known(unit.name), groups);
    if (still && *still) co_return Search{{*known(unit.name).server}, 1};
    Result<std::vector<TcpSocket>> sockets = sockets_of_groups(groups);
    if (!sockets && sockets.error().fault == Fault::unreachable) co_return sockets.error();
    if (!sockets) {
        Result<Search> fixed = co_await fixed_server(unit.name, sockets.error());
        co_return fixed;
    }
    UnitServers servers = servers_of_unit(std::move(*sockets));
    if (servers.reachable.empty()) {
        Error why = nothing_listens(servers);
        if (!servers.elsewhere.empty()) co_return why;
        Result<Search> published = co_await published_server(unit.name, std::move(why));
        co_return published;
    }
    Search search;
    search.listeners = servers.reachable.size();
    search.servers = std::move(servers.reachable);
    if (search.listeners > servers_asked_max) {
        std::size_t& first = known(unit.name).first;
        first %= search.listeners;
        const auto begin = search.servers.begin();
        std::rotate(begin, std::next(begin, static_cast<std::ptrdiff_t>(first)),
                    search.servers.end());
        search.servers.resize(servers_asked_max);
        first += servers_asked_max;
    }
    co_return search;
}

/// `why` is the reason why the kernel does not report it.
Task<Result<Search>> MetricsConnectors::fixed_server(std::string unit, Error why) {
    const Result<Search> published = co_await published_server(unit, why);
    if (published || published.error().text != why.text) co_return published;
    std::optional<std::string> address;
    if (addresses_.fixed) address = co_await addresses_.fixed(std::move(unit));
    const auto server = address ? read_socket_address(*address) : std::nullopt;
    if (server) co_return Search{{*server}, 1};
    why.text += "; or start cloudflared with --metrics 127.0.0.1:PORT";
    co_return why;
}

/// `why` is the error if the policy says nothing about this unit.
Task<Result<Search>> MetricsConnectors::published_server(std::string unit, Error why) {
    std::optional<std::string> address;
    if (addresses_.published) address = co_await addresses_.published(std::move(unit));
    const auto server = address ? read_socket_address(*address) : std::nullopt;
    if (!server) co_return why;
    const Result<void> checked = check_publisher(*server);
    if (!checked) co_return about_published(*server, checked.error());
    Search search;
    search.servers.push_back(*server);
    search.listeners = 1;
    search.published = true;
    co_return search;
}

Task<> MetricsConnectors::enter(Race& race, std::string unit, SocketAddress server) {
    Asked asked = co_await ask(std::move(unit), server);
    if (race.asked.readiness) co_return;
    if (asked.readiness) {
        race.asked = std::move(asked);
        race.winner = std::move(server);
        race.over.expires_at(boost::asio::steady_timer::time_point::min());
    } else if (!race.asked.failure) {
        race.asked.failure = std::move(asked.failure);
    }
}

Task<> MetricsConnectors::wait_for_winner(Race& race) {
    boost::system::error_code ignored;
    auto token = boost::asio::redirect_error(boost::asio::use_awaitable, ignored);
    co_await race.over.async_wait(token);
}

/// Ends with the first answer of cloudflared, without waiting for the other servers.
Task<> MetricsConnectors::ask_all(Race& race, const std::string& unit,
                                  const std::vector<SocketAddress>& servers) {
    using namespace boost::asio::experimental::awaitable_operators;
    PiecesOfWork questions;
    questions.count = servers.size();
    questions.perform = [&](std::size_t index) { return enter(race, unit, servers[index]); };
    auto everyone = perform_side_by_side(questions, servers.size());
    if (servers.size() == 1) {
        co_await std::move(everyone);
        co_return;
    }
    auto first = wait_for_winner(race);
    co_await (std::move(everyone) || std::move(first));
}

/// A server whose answer is not cloudflared's is no failure, because the unit may run other servers
/// too.
Task<Asked> MetricsConnectors::ask(std::string unit, SocketAddress server) {
    Asked asked;
    HttpOrigin origin = origin_of(server);
    HttpRequest request = get("/ready");
    const Result<HttpResponse> response =
        co_await http_.send(std::move(origin), std::move(request));
    if (!response) {
        Error error = response.error();
        if (error.fault == Fault::invalid) co_return asked;
        if (error.fault != Fault::cancelled) error.fault = Fault::unreachable;
        asked.failure = std::move(error);
        co_return asked;
    }
    asked.readiness = read_ready(response->status, response->body.reveal());
    if (!asked.readiness) co_return asked;
    const std::string connector_id = asked.readiness->connector_id;
    Result<std::string> tunnel = co_await tunnel_of(std::move(unit), server, connector_id);
    if (tunnel) {
        asked.readiness->tunnel = std::move(*tunnel);
    } else {
        asked.readiness.reset();
        asked.failure = tunnel.error();
    }
    co_return asked;
}

/// The tunnel that the process serves; empty for a cloudflared without /diag/tunnel. It is asked
/// once for each process, because each question adds two lines to cloudflared's journal. If the two
/// answers come from two processes, the unit was restarted in between and there is no result.
Task<Result<std::string>> MetricsConnectors::tunnel_of(std::string unit, SocketAddress server,
                                                       std::string connector_id) {
    if (!connector_id.empty() && known(unit).connector_id == connector_id)
        co_return known(unit).tunnel;
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
    if (!diagnosis && response->status != 404) co_return std::string();
    const std::string told = diagnosis ? diagnosis->connector_id : std::string();
    if (!told.empty() && !connector_id.empty() && told != connector_id)
        co_return Error{Fault::unreachable, "cloudflared was restarted while it was asked"};
    known(unit).connector_id = connector_id;
    known(unit).tunnel = diagnosis ? diagnosis->tunnel : std::string();
    co_return known(unit).tunnel;
}

}  // namespace

HttpClientOptions connector_http_options() {
    HttpClientOptions options;
    options.plain_to_own_addresses = true;
    options.connections_kept = connections_kept;
    HttpLimits& limits = options.limits;
    limits.resolve = std::chrono::milliseconds{500};
    limits.connect = std::chrono::milliseconds{500};
    limits.exchange = std::chrono::milliseconds{1'500};
    limits.body_bytes_max = 64 * 1024;
    return options;
}

std::unique_ptr<Connectors> make_connectors(HttpClient& http, MetricsAddresses addresses) {
    return std::make_unique<MetricsConnectors>(http, std::move(addresses));
}

}  // namespace keyturn
