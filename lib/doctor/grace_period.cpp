#include "doctor/grace_period.hpp"

#include "cloudflared/cloudflared_command.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <string>
#include <vector>

namespace keyturn {

namespace {

/// cloudflared, cmd/cloudflared/tunnel/cmd.go.
constexpr Milliseconds grace_period_default = std::chrono::seconds{30};
constexpr std::string_view variable = "TUNNEL_GRACE_PERIOD=";

struct TimeUnit {
    std::string_view name;
    Milliseconds length;
};

// "ms" before "m": the first match counts.
constexpr std::array time_units{
    TimeUnit{"ms", Milliseconds{1}},
    TimeUnit{"h", std::chrono::hours{1}},
    TimeUnit{"m", std::chrono::minutes{1}},
    TimeUnit{"s", std::chrono::seconds{1}},
};

/// Takes a number off the beginning of the text.
std::optional<int> take_number(std::string_view& text) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number < 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

}  // namespace

std::optional<Milliseconds> parse_go_duration(std::string_view text) {
    if (text.empty()) return std::nullopt;
    Milliseconds sum{0};
    while (!text.empty()) {
        const auto number = take_number(text);
        if (!number) return std::nullopt;
        const auto unit = std::ranges::find_if(
            time_units, [&](const TimeUnit& one) { return text.starts_with(one.name); });
        if (unit == time_units.end()) return std::nullopt;
        sum += *number * unit->length;
        text.remove_prefix(unit->name.size());
    }
    return sum;
}

Milliseconds grace_period_of(const UnitSettings& settings) {
    for (const auto& arguments : settings.exec_start) {
        const auto command = read_cloudflared_command(arguments);
        if (!command) continue;
        const auto value = command->value_of("grace-period");
        if (value) return parse_go_duration(*value).value_or(grace_period_default);
    }
    for (const std::string& entry : settings.environment) {
        if (!entry.starts_with(variable)) continue;
        return parse_go_duration(entry.substr(variable.size())).value_or(grace_period_default);
    }
    return grace_period_default;
}

bool is_older(std::string_view version, std::string_view than) {
    while (!than.empty()) {
        const auto left = take_number(version);
        const auto right = take_number(than);
        if (!left || !right) return false;
        if (*left != *right) return *left < *right;
        if (version.starts_with('.')) version.remove_prefix(1);
        if (than.starts_with('.')) than.remove_prefix(1);
    }
    return false;
}

}  // namespace keyturn
