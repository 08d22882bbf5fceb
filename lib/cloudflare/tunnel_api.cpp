#include "cloudflare/tunnel_api.hpp"

#include "base/ascii.hpp"
#include "base/url.hpp"
#include "cloudflare/answer_faults.hpp"
#include "cloudflare/answer_headers.hpp"
#include "cloudflare/messages.hpp"
#include "cloudflare/safe_text.hpp"
#include "http/http_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace keyturn {

namespace {

constexpr ApiCall get_tunnel_call{"GET tunnel", "GET", "", false, false};
constexpr ApiCall get_token_call{"GET token", "GET", "/token", false, true};
constexpr ApiCall patch_call{"PATCH tunnel_secret", "PATCH", "", true, true};
constexpr ApiCall connections_call{"GET connections", "GET", "/connections", false, false};

/// May be repeated, because a second call has the same result.
constexpr ApiCall evict_call{"DELETE connections", "DELETE", "/connections", false, true};

constexpr std::size_t id_size_max = 36;
constexpr std::size_t secret_text_size_max = 1024;

bool is_id(const std::string& text) {
    const auto allowed = [](char c) {
        return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f') || c == '-';
    };
    return !text.empty() && text.size() <= id_size_max && std::ranges::all_of(text, allowed);
}

bool is_base64(std::string_view text) {
    const auto allowed = [](char c) {
        return is_digit(c) || is_letter(c) || c == '+' || c == '/' || c == '=';
    };
    return !text.empty() && text.size() <= secret_text_size_max &&
           std::ranges::all_of(text, allowed);
}

/// {"tunnel_secret":"..."}: base64 needs no escapes, so the secret passes through no JSON library.
Secret patch_body(const Secret& secret) {
    constexpr std::string_view head = R"({"tunnel_secret":")";
    constexpr std::string_view tail = R"("})";
    const std::string_view text = secret.reveal();
    Secret body(head.size() + text.size() + tail.size());
    std::memcpy(body.data(), head.data(), head.size());
    std::memcpy(body.data() + head.size(), text.data(), text.size());
    std::memcpy(body.data() + head.size() + text.size(), tail.data(), tail.size());
    return body;
}

class CloudflareApi final : public TunnelApi {
  public:
    CloudflareApi(HttpClient& http, const std::string& api_url, ReadApiToken read_api_token,
                  HearLimits hear)
        : http_(http),
          url_(parse_url(api_url)),
          read_api_token_(std::move(read_api_token)),
          hear_(std::move(hear)) {}

    Task<Result<TunnelFacts>> get_tunnel(TunnelRef tunnel) override {
        const auto answer = co_await ask(get_tunnel_call, tunnel, Secret());
        if (!answer) co_return answer.error();
        auto facts = parse_tunnel(answer->body.reveal());
        if (!facts) co_return fault_of_body(get_tunnel_call, tunnel.tunnel, *answer, facts.error());
        co_return facts;
    }

    Task<Result<TokenAnswer>> get_token(TunnelRef tunnel) override {
        const auto answer = co_await ask(get_token_call, tunnel, Secret());
        if (!answer) co_return answer.error();
        auto token = parse_token(answer->body.reveal());
        if (!token) co_return fault_of_body(get_token_call, tunnel.tunnel, *answer, token.error());
        TokenAnswer result;
        result.token = std::move(*token);
        result.server_time = parse_http_date(answer->header("date"));
        co_return result;
    }

    Task<Result<std::optional<Secret>>> patch_secret(TunnelRef tunnel,
                                                     const Secret& secret) override {
        if (!is_base64(secret.reveal())) {
            co_return Error{Fault::invalid, "PATCH tunnel_secret: the secret is not base64"};
        }
        const auto answer = co_await ask(patch_call, tunnel, patch_body(secret));
        if (!answer) co_return answer.error();
        auto token = parse_patched(answer->body.reveal());
        if (!token) co_return fault_of_body(patch_call, tunnel.tunnel, *answer, token.error());
        co_return token;
    }

    Task<Result<std::vector<Connector>>> list_connectors(TunnelRef tunnel) override {
        const auto answer = co_await ask(connections_call, tunnel, Secret());
        if (!answer) co_return answer.error();
        auto list = parse_connectors(answer->body.reveal());
        if (!list) co_return fault_of_body(connections_call, tunnel.tunnel, *answer, list.error());
        co_return list;
    }

    Task<Result<void>> evict(TunnelRef tunnel, std::string connector) override {
        if (!connector.empty() && !is_id(connector)) {
            co_return Error{Fault::invalid, "DELETE connections: the connector is not an id"};
        }
        Secret body =
            Secret::copy_of("{}");  // Cloudflare's OpenAPI description asks for an object.
        std::string query;
        if (!connector.empty()) query = "?client_id=" + connector;
        const auto answer = co_await ask(evict_call, tunnel, std::move(body), std::move(query));
        const bool gone = !answer && answer.error().fault == Fault::missing && !connector.empty();
        if (!answer && !gone) co_return answer.error();
        co_return Result<void>();
    }

    void close_idle() override { http_.close_idle(); }

  private:
    /// Returns the answer if its status is 2xx, otherwise an error. `call` is one of the constants
    /// above.
    Task<Result<HttpResponse>> ask(const ApiCall& call, TunnelRef tunnel, Secret body,
                                   std::string query = {}) {
        if (!url_) co_return with_context("api_url", url_.error());
        if (!is_id(tunnel.account) || !is_id(tunnel.tunnel)) {
            co_return Error{
                Fault::invalid,
                fmt::format("{}: `account:` or `tunnel:` is not an id of hexadecimal digits",
                            call.name)};
        }
        auto api_token = read_api_token_();
        if (!api_token) co_return with_context(call.name, api_token.error());
        HttpRequest request;
        request.method = call.method;
        request.target = fmt::format("{}/accounts/{}/cfd_tunnel/{}{}{}", url_->base_path,
                                     path_segment(tunnel.account), path_segment(tunnel.tunnel),
                                     call.suffix, query);
        request.bearer = std::move(*api_token);
        request.body = std::move(body);
        HttpOrigin origin = url_->origin;
        auto response = co_await http_.send(std::move(origin), std::move(request));
        if (!response) co_return fault_without_answer(call, tunnel.tunnel, response.error());
        tell_limits(*response);
        if (response->status < 200 || response->status > 299) {
            co_return fault_of_answer(call, tunnel.tunnel, *response);
        }
        co_return response;
    }

    void tell_limits(const HttpResponse& response) const {
        if (!hear_) return;
        const std::vector<RateLimit> limits =
            parse_rate_limits(response.header("ratelimit"), response.header("ratelimit-policy"));
        if (!limits.empty()) hear_(limits);
    }

    HttpClient& http_;
    Result<HttpUrl> url_;
    ReadApiToken read_api_token_;
    HearLimits hear_;
};

}  // namespace

std::unique_ptr<TunnelApi> make_tunnel_api(HttpClient& http, std::string api_url,
                                           ReadApiToken read_api_token, HearLimits hear) {
    return std::make_unique<CloudflareApi>(http, api_url, std::move(read_api_token),
                                           std::move(hear));
}

std::unique_ptr<TunnelApi> make_tunnel_api(HttpClient& http, std::string api_url,
                                           Secret api_token) {
    auto read = [held = std::make_shared<const Secret>(std::move(api_token))] {
        return Result<Secret>(held->clone());
    };
    return make_tunnel_api(http, std::move(api_url), ReadApiToken(std::move(read)));
}

}  // namespace keyturn
