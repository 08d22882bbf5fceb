#include "cloudflare/answer_headers.hpp"

#include "base/ascii.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <ctime>

namespace keyturn {

namespace {

bool all_digits(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, is_digit);
}

/// The number that `text` consists of; -1 if it holds anything but digits.
int number(std::string_view text) {
    int value = -1;
    if (all_digits(text)) std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::string_view trimmed(std::string_view text) {
    while (text.starts_with(' ')) text.remove_prefix(1);
    while (text.ends_with(' ')) text.remove_suffix(1);
    return text;
}

constexpr std::size_t limit_name_size_max = 32;

bool is_limit_name(std::string_view text) {
    return !text.empty() && text.size() <= limit_name_size_max &&
           std::ranges::all_of(text, [](char c) {
               return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '.';
           });
}

/// Cuts `rest` after the first `end` and returns what was before it.
std::string_view take_until(char end, std::string_view& rest) {
    const std::size_t at = rest.find(end);
    const std::string_view taken = rest.substr(0, at);
    rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
    return taken;
}

/// `"name";key=1;other=2`. A value is -1 if it is absent or not a number.
struct LimitItem {
    std::string_view name;
    std::string_view parameters;

    [[nodiscard]] int value(std::string_view key) const {
        std::string_view rest = parameters;
        while (!rest.empty()) {
            std::string_view text = trimmed(take_until(';', rest));
            if (take_until('=', text) == key) return number(text);
        }
        return -1;
    }
};

/// A comma inside a name splits it into two items, and neither has a usable name.
std::vector<LimitItem> limit_items(std::string_view list) {
    std::vector<LimitItem> items;
    while (!list.empty() && items.size() < rate_limits_max) {
        std::string_view text = trimmed(take_until(',', list));
        if (!text.starts_with('"')) continue;
        text.remove_prefix(1);
        const std::string_view name = take_until('"', text);
        if (is_limit_name(name)) items.push_back({name, text});
    }
    return items;
}

/// The policy with the limit's name. If each header has only one item, they belong together
/// whatever their names are.
const LimitItem* policy_of(const LimitItem& limit, const std::vector<LimitItem>& policies,
                           bool only_one) {
    const auto named = std::ranges::find(policies, limit.name, &LimitItem::name);
    if (named != policies.end()) return &*named;
    return only_one && policies.size() == 1 ? &policies.front() : nullptr;
}

}  // namespace

std::optional<WallTime> parse_http_date(std::string_view value) {
    constexpr const char* form = "%a, %d %b %Y %H:%M:%S GMT";
    const std::string text{trimmed(value)};
    std::tm parts{};
    if (::strptime(text.c_str(), form, &parts) == nullptr) return std::nullopt;
    // strptime also reads other spellings, such as "Tuesday" or a day of one digit.
    std::array<char, 32> again{};
    if (std::strftime(again.data(), again.size(), form, &parts) == 0) return std::nullopt;
    const std::chrono::year_month_day date =
        std::chrono::year{parts.tm_year + 1900} / (parts.tm_mon + 1) / parts.tm_mday;
    if (text != again.data() || !date.ok() || parts.tm_sec > 60) return std::nullopt;
    return WallTime{std::chrono::sys_days{date}} + std::chrono::hours{parts.tm_hour} +
           std::chrono::minutes{parts.tm_min} + std::chrono::seconds{parts.tm_sec};
}

std::vector<RateLimit> parse_rate_limits(std::string_view ratelimit, std::string_view policy) {
    const std::vector<LimitItem> items = limit_items(ratelimit);
    const std::vector<LimitItem> policies = limit_items(policy);
    std::vector<RateLimit> limits;
    for (const LimitItem& item : items) {
        RateLimit limit;
        limit.name = item.name;
        limit.left = item.value("r");
        limit.reset = std::min(std::chrono::seconds{item.value("t")}, retry_after_max);
        if (limit.left < 0 || limit.reset.count() < 0) continue;
        if (const LimitItem* told = policy_of(item, policies, items.size() == 1)) {
            limit.quota = std::max(0, told->value("q"));
            limit.window = std::chrono::seconds{std::max(0, told->value("w"))};
        }
        limits.push_back(std::move(limit));
    }
    return limits;
}

}  // namespace keyturn
