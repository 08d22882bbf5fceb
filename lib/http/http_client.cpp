#include "http/http_client.hpp"

#include "base/url.hpp"
#include "clock/clock.hpp"
#include "http/connection.hpp"
#include "http/deadline.hpp"
#include "http/request_text.hpp"
#include "http/response_reader.hpp"

#include <boost/asio/ssl/error.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <malloc.h>

namespace keyturn {

namespace {

using boost::system::error_code;

// Long enough for the calls of one step of a rotation. Short enough that no middlebox between here
// and the server has silently dropped the connection.
constexpr std::chrono::seconds idle_max{45};

/// One request on one connection.
struct Exchange {
    Result<HttpResponse> response = Error{Fault::ambiguous, "not begun"};
    bool answer_began = false;
    bool closed_by_peer = false;
    bool may_keep = false;
};

bool means_closed(const error_code& error) {
    return error == boost::asio::error::eof || error == boost::asio::ssl::error::stream_truncated ||
           error == boost::asio::error::connection_reset ||
           error == boost::asio::error::broken_pipe;
}

Error ambiguous(const HttpOrigin& origin, std::string_view what) {
    return Error{Fault::ambiguous, fmt::format("{} {}", authority_of(origin), what)};
}

/// Why no more of the answer can be read; true if the answer ends with the connection.
Result<bool> end_of_answer(const HttpOrigin& origin, ResponseReader& reader,
                           const error_code& error) {
    if (error == boost::asio::error::eof) {
        const auto whole = reader.ended();
        if (whole) return whole;
    }
    if (!means_closed(error)) return ambiguous(origin, error.message());
    return ambiguous(origin, reader.began() ? "closed the connection in the middle of its answer"
                                            : "closed the connection without an answer");
}

Task<Exchange> exchange(Connection& connection, const Secret& text, const HttpLimits& limits) {
    Exchange result;
    const auto written = co_await connection.write(text.reveal());
    if (written.error) {
        result.closed_by_peer = means_closed(written.error);
        result.response = ambiguous(connection.origin(), written.error.message());
        co_return result;
    }
    ResponseReader reader(limits);
    Result<bool> whole = false;
    while (whole && !*whole) {
        const auto read = co_await connection.read(reader.space());
        result.closed_by_peer = means_closed(read.error);
        whole = read.error ? end_of_answer(connection.origin(), reader, read.error)
                           : reader.received(read.size);
    }
    result.answer_began = reader.began();
    if (!whole) {
        result.response = with_context(authority_of(connection.origin()), whole.error());
        if (whole.error().fault == Fault::ambiguous) result.response = whole.error();
        co_return result;
    }
    result.may_keep = !result.closed_by_peer && reader.may_keep();
    result.response = reader.take();
    co_return result;
}

class AsioClient final : public HttpClient {
  public:
    AsioClient(boost::asio::any_io_executor executor, HttpClientOptions options)
        : executor_(std::move(executor)), options_(std::move(options)) {}

    Task<Result<HttpResponse>> send(HttpOrigin origin, HttpRequest request) override {
        try {
            auto work = dispatch(std::move(origin), std::move(request));
            co_return co_await std::move(work);
        } catch (const boost::system::system_error& error) {
            if (error.code() != boost::asio::error::operation_aborted) throw;
        }
        co_return Error{Fault::cancelled, "stopped before the answer came"};
    }

    void close_idle() override {
        kept_.clear();
        tls_.reset();
        trim_secret_memory();
        ::malloc_trim(0);
    }

  private:
    struct Kept {
        std::unique_ptr<Connection> connection;
        BootTime since{};
    };

    Task<Result<HttpResponse>> dispatch(HttpOrigin origin, HttpRequest request) {
        if (!origin.tls && !options_.plain_to_own_addresses && !is_loopback(origin.host)) {
            co_return Error{
                Fault::invalid,
                fmt::format("{} is not on this host, so keyturn sends it no request without TLS",
                            authority_of(origin))};
        }
        const auto text = request_text(origin, request, options_.user_agent);
        if (!text) co_return text.error();
        if (auto connection = take_kept(origin)) {
            auto first = co_await exchange_on(*connection, *text);
            const bool ask_again =
                request.method == "GET" && first.closed_by_peer && !first.answer_began;
            if (!ask_again) co_return finish(std::move(connection), std::move(first));
        }
        auto connection = co_await open(std::move(origin));
        if (!connection) co_return connection.error();
        auto only = co_await exchange_on(**connection, *text);
        co_return finish(std::move(*connection), std::move(only));
    }

    Task<Exchange> exchange_on(Connection& connection, const Secret& text) {
        auto work = exchange(connection, text, options_.limits);
        auto result = co_await with_deadline(options_.limits.exchange, std::move(work));
        if (result) co_return std::move(*result);
        Exchange late;
        late.response = ambiguous(
            connection.origin(),
            fmt::format("sent no complete answer within {} ms", options_.limits.exchange.count()));
        co_return late;
    }

    Task<Result<std::unique_ptr<Connection>>> open(HttpOrigin origin) {
        const bool tls = origin.tls;
        auto proxy = proxy_for(origin);
        if (!proxy) co_return proxy.error();
        const std::string host = *proxy ? (*proxy)->origin.host : origin.host;
        auto addresses = co_await resolve(host, options_.name_servers, options_.limits.resolve);
        if (!addresses && *proxy) co_return with_context(name_of(**proxy), addresses.error());
        if (!addresses) co_return addresses.error();
        if (!tls && !options_.plain_to_own_addresses) {
            // A resolver that returns another address for "localhost" must not receive a request
            // without TLS.
            std::erase_if(*addresses, [](const auto& address) { return !address.is_loopback(); });
            if (addresses->empty()) {
                co_return Error{Fault::invalid, "localhost has no address on this host"};
            }
        }
        auto connection = std::make_unique<Connection>(executor_, std::move(origin), *proxy);
        const auto connected =
            co_await connection->connect(std::move(*addresses), options_.limits.connect);
        if (!connected) co_return connected.error();
        if (*proxy) {
            // The proxy does what takes these two steps elsewhere.
            const auto limit = options_.limits.resolve + options_.limits.connect;
            const auto tunnelled = co_await connection->tunnel(options_.user_agent, limit);
            if (!tunnelled) co_return tunnelled.error();
        }
        if (!tls) co_return connection;
        const auto context = tls_context();
        if (!context) co_return context.error();
        const auto secured = co_await connection->secure(*context, options_.limits.handshake);
        if (!secured) co_return secured.error();
        co_return connection;
    }

    [[nodiscard]] ProxyChoice proxy_for(const HttpOrigin& origin) const {
        const bool has_exceptions = options_.proxy && *options_.proxy;
        const std::vector<std::string> none;
        if (!needs_proxy(origin, has_exceptions ? (*options_.proxy)->no_proxy : none)) {
            return std::shared_ptr<const HttpProxy>();
        }
        return options_.proxy;
    }

    Result<TlsContext> tls_context() {
        if (!tls_) {
            auto made = make_tls_context({options_.ca_file, options_.cert_file, options_.key_file});
            if (!made) return made;
            tls_ = std::move(*made);
        }
        return tls_;
    }

    /// A kept connection to `origin`, if one is usable. It is taken out, so that neither a second
    /// send nor a cancellation ever meets a half-used connection.
    std::unique_ptr<Connection> take_kept(const HttpOrigin& origin) {
        const BootTime now = read_boot_clock();
        std::erase_if(kept_, [&](const Kept& kept) { return now - kept.since >= idle_max; });
        const auto kept = std::ranges::find_if(
            kept_, [&](const Kept& one) { return one.connection->origin() == origin; });
        if (kept == kept_.end()) return nullptr;
        auto connection = std::move(kept->connection);
        kept_.erase(kept);
        return connection->is_quiet() ? std::move(connection) : nullptr;
    }

    Result<HttpResponse> finish(std::unique_ptr<Connection> connection, Exchange exchange) {
        if (exchange.may_keep) {
            kept_.push_back({std::move(connection), read_boot_clock()});
            if (kept_.size() > options_.connections_kept) kept_.pop_front();
        }
        return std::move(exchange.response);
    }

    boost::asio::any_io_executor executor_;
    HttpClientOptions options_;
    TlsContext tls_;
    std::deque<Kept> kept_;  ///< The oldest first.
};

}  // namespace

std::string HttpResponse::header(std::string_view name) const {
    const auto found =
        std::ranges::find_if(headers, [&](const auto& header) { return header.first == name; });
    return found == headers.end() ? "" : found->second;
}

std::unique_ptr<HttpClient> make_http_client(boost::asio::any_io_executor executor,
                                             HttpClientOptions options) {
    return std::make_unique<AsioClient>(std::move(executor), std::move(options));
}

}  // namespace keyturn
