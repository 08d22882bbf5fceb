#include "fleet/document_check.hpp"

#include "base/ascii.hpp"
#include "base/visible_text.hpp"
#include "fleet/keys.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace keyturn {
namespace {

constexpr std::size_t text_size_max = 1024;
constexpr std::size_t sealed_size_max = std::size_t{16} * 1024;
constexpr std::size_t account_digits = 32;
constexpr std::size_t rotation_digits = 32;
constexpr std::size_t fingerprint_digits = 16;
constexpr std::size_t nonce_digits = 16;
constexpr std::size_t gcm_nonce_size = 16;  // 12 bytes in base64.

/// True for a text that is empty or of this form.
bool is_hex_or_empty(std::string_view text, std::size_t digits) {
    return text.empty() || is_hex_id(text, digits);
}

/// Nearly every text is: it needs no closer look.
bool is_printable_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return c >= ' ' && c < '\x7f'; });
}

bool is_fleet_unit(const std::string& name) {
    return split_fleet_unit(name).has_value();
}

bool is_base64(std::string_view text) {
    return std::ranges::all_of(
        text, [](char c) { return is_alphanumeric(c) || c == '+' || c == '/' || c == '='; });
}

bool is_sound(const std::optional<SealedTokens>& sealed) {
    return !sealed ||
           (is_hex_id(sealed->rotation_id, rotation_digits) && is_fleet_key_id(sealed->key_id) &&
            is_base64(sealed->nonce) && sealed->nonce.size() == gcm_nonce_size &&
            is_base64(sealed->text) && sealed->text.size() <= sealed_size_max);
}

bool is_sound(const FleetTurn& turn) {
    return turn.number <= counter_max && is_fleet_unit(turn.unit) &&
           is_hex_id(turn.rotation_id, rotation_digits);
}

bool is_sound(const FleetOrder& order) {
    return order.number <= counter_max && order.done <= order.number &&
           is_hex_or_empty(order.id, order_digits) &&
           (order.by.empty() || is_fleet_host(order.by)) &&
           std::ranges::all_of(order.request.units, is_fleet_unit);
}

bool is_sound(const MemberUnit& unit) {
    return is_unit_name(unit.setup.name) &&
           (unit.seen.state.name.empty() || unit.seen.state.name == unit.setup.name);
}

bool is_sound(const FleetMember& member) {
    return is_hex_id(member.install, install_digits) && is_hex_id(member.mark, mark_digits) &&
           !member.speaks.empty() && std::ranges::all_of(member.keys, is_fleet_key_id) &&
           member.answers <= counter_max && is_hex_or_empty(member.file, fingerprint_digits) &&
           is_hex_or_empty(member.staged, rotation_digits) &&
           std::ranges::all_of(member.units, [](const auto& unit) { return is_sound(unit); });
}

bool is_sound(const std::optional<RotationRecord>& rotation) {
    return !rotation || std::ranges::all_of(rotation->units, is_fleet_unit, &UnitProgress::name);
}

template <class Records>
bool are_sound(const Records& records) {
    return std::ranges::all_of(records, [](const auto& record) { return is_sound(record); });
}

bool are_sound(const std::map<std::string, FleetMember>& members) {
    return std::ranges::all_of(members, [](const auto& member) {
        return is_fleet_host(member.first) && is_sound(member.second);
    });
}

}  // namespace

std::string FleetTexts::written(const std::string& text) {
    std::string shown = is_printable_ascii(text) ? text : visible_text(text);
    if (shown.size() <= text_size_max) return shown;
    std::size_t end = text_size_max;
    const auto is_inside = [&shown](std::size_t at) { return (shown[at] & '\xc0') == '\x80'; };
    while (end > 0 && is_inside(end)) --end;
    shown.resize(end);
    return shown;
}

bool FleetTexts::accepts(const std::string& text) {
    return text.size() <= text_size_max && (is_printable_ascii(text) || visible_text(text) == text);
}

bool is_hex_id(std::string_view text, std::size_t digits) {
    return text.size() == digits && std::ranges::all_of(text, is_lower_hex);
}

Result<void> check_names(const FleetDocument& document) {
    const std::array checks{
        std::pair("fleet", is_hex_id(document.fleet, fleet_digits)),
        std::pair("account", is_hex_id(document.account, account_digits)),
        std::pair("tunnel", is_uuid(document.tunnel) && lower(document.tunnel) == document.tunnel),
        std::pair("rev", document.rev <= counter_max),
        std::pair("nonce", is_hex_id(document.nonce, nonce_digits)),
        std::pair("writer", is_fleet_host(document.writer)),
        std::pair("epoch", document.epoch <= counter_max),
        std::pair("lead", !document.lead || (is_fleet_host(document.lead->host) &&
                                             document.lead->beat <= counter_max)),
        std::pair("state", is_sound(document.state.rotation)),
        std::pair("deliver", is_hex_or_empty(document.deliver, fingerprint_digits)),
        std::pair("sealed", is_sound(document.sealed)),
        std::pair("ask", document.ask <= counter_max),
        std::pair("turns", are_sound(document.turns)),
        std::pair("turns_granted", document.turns_granted <= counter_max),
        std::pair("order", is_sound(document.order)),
        std::pair("members", are_sound(document.members)),
    };
    const auto wrong = std::ranges::find(checks, false, &std::pair<const char*, bool>::second);
    if (wrong == checks.end()) return {};
    return Error{Fault::invalid, std::string("unexpected content at \"") + wrong->first + "\""};
}

}  // namespace keyturn
