#include "cloudflare/api_token_check.hpp"

#include "base/url.hpp"
#include "cloudflare/answer_headers.hpp"
#include "cloudflare/answer_kinds.hpp"
#include "cloudflare/messages.hpp"
#include "cloudflare/safe_text.hpp"
#include "http/http_client.hpp"
#include "json/json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <utility>

namespace keyturn {

namespace {

constexpr std::size_t status_size_max = 32;
constexpr std::chrono::hours expiry_notice{30 * 24};

ApiTokenVerdict verdict_of(AnswerKind kind) {
    switch (kind) {
        case AnswerKind::address_refused: return ApiTokenVerdict::address_refused;
        case AnswerKind::token_malformed: return ApiTokenVerdict::malformed;
        case AnswerKind::token_unknown:
        case AnswerKind::token_refused: return ApiTokenVerdict::unknown;
        default: return ApiTokenVerdict::unclear;
    }
}

Task<Result<ApiTokenCheck>> ask(HttpClient& http, HttpOrigin origin, std::string target,
                                Secret api_token) {
    HttpRequest request;
    request.target = std::move(target);
    request.bearer = std::move(api_token);
    const auto response = co_await http.send(std::move(origin), std::move(request));
    if (!response) co_return with_context("GET tokens/verify", response.error());
    ApiTokenCheck check = read_token_check(response->status, response->body.reveal());
    check.server_time = parse_http_date(response->header("date"));
    co_return check;
}

/// A number of exactly this many digits, taken off the beginning.
std::optional<int> take_digits(std::string_view& text, std::size_t count) {
    int number = 0;
    if (text.size() < count) return std::nullopt;
    const auto [end, error] = std::from_chars(text.data(), text.data() + count, number);
    if (error != std::errc{} || end != text.data() + count || number < 0) return std::nullopt;
    text.remove_prefix(count);
    return number;
}

bool take(std::string_view& text, char expected) {
    if (text.empty() || text.front() != expected) return false;
    text.remove_prefix(1);
    return true;
}

/// "Z" or "+01:00".
std::optional<std::chrono::minutes> take_offset(std::string_view text) {
    if (text == "Z" || text == "z") return std::chrono::minutes{0};
    const bool behind = text.starts_with('-');
    if (!behind && !text.starts_with('+')) return std::nullopt;
    text.remove_prefix(1);
    const auto hours = take_digits(text, 2);
    if (!hours || !take(text, ':')) return std::nullopt;
    const auto minutes = take_digits(text, 2);
    if (!minutes || !text.empty()) return std::nullopt;
    const auto offset = std::chrono::hours{*hours} + std::chrono::minutes{*minutes};
    return behind ? -offset : offset;
}

}  // namespace

std::optional<WallTime> parse_rfc3339(std::string_view text) {
    const auto year = take_digits(text, 4);
    if (!year || !take(text, '-')) return std::nullopt;
    const auto month = take_digits(text, 2);
    if (!month || !take(text, '-')) return std::nullopt;
    const auto day = take_digits(text, 2);
    if (!day || (!take(text, 'T') && !take(text, ' '))) return std::nullopt;
    const auto hour = take_digits(text, 2);
    if (!hour || !take(text, ':')) return std::nullopt;
    const auto minute = take_digits(text, 2);
    if (!minute || !take(text, ':')) return std::nullopt;
    const auto second = take_digits(text, 2);
    if (!second) return std::nullopt;
    if (take(text, '.')) {
        const std::size_t fraction = text.find_first_not_of("0123456789");
        text.remove_prefix(std::min(fraction, text.size()));
    }
    const auto offset = take_offset(text);
    const std::chrono::year_month_day date{std::chrono::year{*year},
                                           std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    if (!offset || !date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
    return WallTime{std::chrono::sys_days{date}} + std::chrono::hours{*hour} +
           std::chrono::minutes{*minute} + std::chrono::seconds{*second} - *offset;
}

bool expires_soon(const ApiTokenCheck& check, WallTime now) {
    return check.expires && *check.expires - now <= expiry_notice;
}

ApiTokenCheck read_token_check(int status, std::string_view body) {
    ApiTokenCheck check;
    const ApiErrors errors = parse_errors(body);
    const auto document = parse_json(body);
    const Json* result = nullptr;
    if (status >= 200 && status <= 299 && document) {
        const Json* success = member(document->root, "success");
        if (success != nullptr && *success == true) result = member(document->root, "result");
    }
    if (result == nullptr) {
        const AnswerKind kind = kind_of_answer(status, errors);
        check.verdict = verdict_of(kind);
        check.seen = fmt::format("HTTP {}{}{}: {}", status, errors.text.empty() ? "" : ", ",
                                 errors.text, remedy_of(kind, true));
        return check;
    }
    check.status = safe_text(text_member(*result, "status"), status_size_max);
    check.expires = parse_rfc3339(text_member(*result, "expires_on"));
    if (check.status == "active") {
        check.verdict = ApiTokenVerdict::active;
    } else {
        check.verdict = ApiTokenVerdict::inactive;
        check.seen = fmt::format("Cloudflare reports the status \"{}\"", check.status);
    }
    return check;
}

Task<Result<ApiTokenCheck>> check_api_token(HttpClient& http, std::string api_url, Secret api_token,
                                            std::string account) {
    const auto url = parse_url(api_url);
    if (!url) co_return with_context("api_url", url.error());
    std::string of_account =
        fmt::format("{}/accounts/{}/tokens/verify", url->base_path, path_segment(account));
    std::string of_user = url->base_path + "/user/tokens/verify";
    HttpOrigin origin = url->origin;
    Secret first = api_token.clone();
    auto check = co_await ask(http, std::move(origin), std::move(of_account), std::move(first));
    if (!check) co_return check;
    if (check->verdict != ApiTokenVerdict::unknown && check->verdict != ApiTokenVerdict::unclear)
        co_return check;
    origin = url->origin;
    auto second = co_await ask(http, std::move(origin), std::move(of_user), std::move(api_token));
    co_return second;
}

}  // namespace keyturn
