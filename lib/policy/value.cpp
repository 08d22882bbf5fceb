#include "policy/value.hpp"

#include "base/ascii.hpp"
#include "policy/duration.hpp"
#include "policy/host_value.hpp"
#include "policy/store_value.hpp"
#include "policy/suggestion.hpp"
#include "policy/time_value.hpp"
#include "policy/url_value.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace keyturn {
namespace {

constexpr std::size_t account_size = 32;
constexpr std::size_t own_name_size_max = 64;
constexpr std::size_t credential_name_size_max = 255;

Result<PolicyValue> read_boolean(const DocumentNode& scalar) {
    static constexpr std::array<std::string_view, 5> trues{"true", "yes", "on", "y", "1"};
    static constexpr std::array<std::string_view, 5> falses{"false", "no", "off", "n", "0"};
    const bool exact = scalar.text == "true" || scalar.text == "false";
    if (exact && !scalar.quoted) return PolicyValue{scalar.text == "true"};
    if (exact) {
        return invalid(
            fmt::format("must be `true` or `false`; write `{}` without quotes", scalar.text));
    }
    const std::string word = lower(scalar.text);
    const bool yes = std::ranges::find(trues, word) != trues.end();
    if (yes || std::ranges::find(falses, word) != falses.end()) {
        return invalid(fmt::format("must be `true` or `false`; write `{}`", yes));
    }
    return invalid(fmt::format("must be `true` or `false`, not {}", in_backticks(scalar.text)));
}

/// True for "01" and "010". Where a leading zero means octal, as in YAML 1.1, "010" is eight.
bool has_leading_zero(std::string_view text) {
    if (text.starts_with('-') || text.starts_with('+')) text.remove_prefix(1);
    return text.size() > 1 && text.front() == '0';
}

std::string without_leading_zeros(std::string_view text) {
    const bool octal = text.size() > 2 || text.find_first_of("89") != std::string_view::npos;
    while (text.size() > 1 && text.front() == '0') text.remove_prefix(1);
    return octal ? "leave out the leading 0, which some programs read as octal"
                 : fmt::format("write `{}`", text);
}

Result<PolicyValue> read_integer(const KeySpec& spec, const DocumentNode& scalar) {
    const std::string& text = scalar.text;
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = end == text.data() + text.size() && !text.empty();
    if (error == std::errc::invalid_argument || !whole) {
        return invalid(fmt::format("must be a whole number, not {}", in_backticks(text)));
    }
    if (has_leading_zero(text)) {
        return invalid(fmt::format("must be a whole number, not {}; {}", in_backticks(text),
                                   without_leading_zeros(text)));
    }
    if (scalar.quoted) {
        return invalid(fmt::format("must be a number; write {} without quotes", quote_safe(text)));
    }
    if (spec.path == "version" && number != 1) {
        return invalid(
            fmt::format("{} is not supported; this keyturn reads version 1", quote_safe(text)));
    }
    if (error == std::errc{} && number >= spec.minimum && number <= spec.maximum) {
        return PolicyValue{number};
    }
    if (spec.name() == "min_available" && number < spec.minimum) {
        return invalid(
            "must be at least 1; if the tunnel may be down while its unit restarts, set "
            "`accept_gap: true`");
    }
    return invalid(fmt::format("must be between {} and {}, not {}", spec.minimum, spec.maximum,
                               quote_safe(text)));
}

/// "a, b or c", of at least one.
std::string listed_with_or(std::vector<std::string> items) {
    const std::string last = std::move(items.back());
    items.pop_back();
    return items.empty() ? last : fmt::format("{} or {}", fmt::join(items, ", "), last);
}

/// The error for a number without a unit, with those values that the key takes without a warning.
Error lacks_unit(const KeySpec& spec, std::string_view text) {
    std::vector<std::string> fitting;
    for (const std::string_view unit : {"s", "m", "h", "d"}) {
        std::string whole = fmt::format("{}{}", text, unit);
        const Result<Milliseconds> duration = parse_duration(whole);
        const std::int64_t least = std::max(spec.minimum, spec.usual_minimum);
        if (!duration || duration->count() < least || duration->count() > spec.maximum) continue;
        fitting.push_back(fmt::format("`{}`{}", whole, unit == "m" ? " (minutes)" : ""));
    }
    if (fitting.empty()) {
        return invalid(fmt::format(
            "needs a unit such as `m` (minutes) or `d` (days), and must be at most {}, not {}",
            to_text(Milliseconds{spec.maximum}), in_backticks(text)));
    }
    return invalid(
        fmt::format("needs a unit: write {}, not {}", listed_with_or(fitting), in_backticks(text)));
}

Result<PolicyValue> read_duration(const KeySpec& spec, const DocumentNode& scalar) {
    const bool bare =
        scalar.text != "0" && !scalar.text.empty() && std::ranges::all_of(scalar.text, is_digit);
    if (bare) return lacks_unit(spec, scalar.text);
    const Result<Milliseconds> duration = parse_duration(scalar.text);
    if (!duration) return duration.error();
    if (duration->count() < spec.minimum) return invalid("must be more than 0");
    if (duration->count() > spec.maximum) {
        return invalid(fmt::format("must be at most {}, not {}",
                                   to_text(Milliseconds{spec.maximum}), in_backticks(scalar.text)));
    }
    return PolicyValue{*duration};
}

Result<PolicyValue> read_word(const KeySpec& spec, const DocumentNode& scalar) {
    const std::vector<std::string_view> choices = spec.choices();
    if (std::ranges::find(choices, scalar.text) != choices.end()) {
        return PolicyValue{scalar.text};
    }
    if (const auto near = closest(scalar.text, choices); !near.empty()) {
        return invalid(
            fmt::format("cannot be {}; did you mean `{}`?", in_backticks(scalar.text), near));
    }
    return invalid(fmt::format("cannot be {}; this version knows: {}", in_backticks(scalar.text),
                               fmt::join(choices, ", ")));
}

Result<PolicyValue> read_account_id(std::string_view text) {
    if (text.size() == account_size && std::ranges::all_of(text, is_hex)) {
        return PolicyValue{lower(text)};
    }
    return invalid(
        fmt::format("must be the 32 hex digits of the Cloudflare account, not {} ({} characters)",
                    in_backticks(text), count_characters(text)));
}

Result<PolicyValue> read_tunnel_id(std::string_view text) {
    if (is_uuid(text)) return PolicyValue{lower(text)};
    return invalid(
        fmt::format("must be the tunnel's UUID, as `cloudflared tunnel list` prints it, not {}",
                    in_backticks(text)));
}

Result<PolicyValue> read_credential_name(std::string_view text) {
    if (looks_like_secret(text)) {
        return invalid(
            "must be the name of a systemd credential, but looks like the secret itself; put the "
            "secret in a file that LoadCredential= names");
    }
    if (text.find(':') != std::string_view::npos) {
        return invalid(
            "must be the name of a systemd credential, but looks like a user and a password; put "
            "them in a file that LoadCredential= names");
    }
    const bool sound = !text.empty() && text.size() <= credential_name_size_max &&
                       text.front() != '.' && consists_of(text, "._@-");
    if (sound) return PolicyValue{std::string{text}};
    const char* const remedy = text.starts_with('/') ? "; for a path write `file:`" : "";
    return invalid(
        fmt::format("must be the name of a systemd credential (letters, digits and `._@-`), not "
                    "{}{}",
                    in_backticks(text), remedy));
}

Result<PolicyValue> read_file_path(std::string_view text) {
    if (!text.starts_with('/')) {
        return invalid(fmt::format("must be an absolute path that begins with `/`, not {}",
                                   in_backticks(text)));
    }
    if (text.ends_with('/')) {
        return invalid(
            fmt::format("must be the path of a file, but {} is a directory", in_backticks(text)));
    }
    if (sound_size(text) != text.size()) {
        return invalid(fmt::format("contains a control character: {}", in_backticks(text)));
    }
    return PolicyValue{std::string{text}};
}

}  // namespace

Result<PolicyValue> read_value(const KeySpec& spec, const DocumentNode& scalar) {
    switch (spec.kind) {
        case KeyKind::integer: return read_integer(spec, scalar);
        case KeyKind::boolean: return read_boolean(scalar);
        case KeyKind::duration:
        case KeyKind::soak: return read_duration(spec, scalar);
        case KeyKind::word: return read_word(spec, scalar);
        case KeyKind::account_id: return read_account_id(scalar.text);
        case KeyKind::tunnel_id: return read_tunnel_id(scalar.text);
        case KeyKind::credential_name: return read_credential_name(scalar.text);
        case KeyKind::file_path: return read_file_path(scalar.text);
        case KeyKind::https_url: return read_https_url(scalar.text);
        case KeyKind::proxy_url: return read_proxy_url(scalar.text);
        case KeyKind::store_url:
        case KeyKind::store_urls: return read_store_url(scalar.text);
        case KeyKind::bucket_name: return read_bucket_name(scalar.text);
        case KeyKind::region: return read_region(scalar.text);
        case KeyKind::key_prefix: return read_key_prefix(scalar.text);
        case KeyKind::user_name: return read_user_name(scalar.text);
        case KeyKind::host_name: return read_host_name(scalar.text);
        case KeyKind::ip_address: return read_ip_address(scalar.text);
        case KeyKind::feature_tag: return read_feature_tag(scalar.text);
        case KeyKind::reference: return PolicyValue{scalar.text};
        case KeyKind::time_zone: return read_time_zone(scalar.text);
        case KeyKind::calendar: return read_calendar(scalar.text);
        case KeyKind::cron: return read_cron(scalar.text);
        case KeyKind::freeze_begin: return read_freeze(scalar.text, std::chrono::days{0});
        case KeyKind::freeze_end: return read_freeze(scalar.text, std::chrono::days{1});
        case KeyKind::remark: return read_remark(scalar.text);
        case KeyKind::section:
        case KeyKind::named_sections:
        case KeyKind::section_list:
        case KeyKind::secret_source:
        case KeyKind::host_patterns:
        case KeyKind::unit_patterns:
        case KeyKind::unit_addresses: break;
    }
    return invalid(fmt::format("takes {}", description_of(spec.kind)));
}

Result<void> check_own_name(std::string_view name) {
    const bool sound = !name.empty() && name.size() <= own_name_size_max &&
                       is_alphanumeric(name.front()) && consists_of(name, "_-");
    if (sound) return {};
    return invalid(
        fmt::format("{} is not allowed; use up to {} letters, digits, `-` and `_`, and begin "
                    "with a letter or digit",
                    in_backticks(name), own_name_size_max));
}

std::string oddity_of(const KeySpec& spec, const PolicyValue& value) {
    const auto* const duration = std::get_if<Milliseconds>(&value);
    if (duration == nullptr || duration->count() >= spec.usual_minimum) return {};
    const bool zero_is_none = spec.name() == "every" || spec.name() == "max_age";
    if (duration->count() == 0 && zero_is_none) return {};
    return fmt::format("of {} is unusually short; outside of tests use at least {}",
                       to_text(*duration), to_text(Milliseconds{spec.usual_minimum}));
}

}  // namespace keyturn
