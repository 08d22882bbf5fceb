#include "journal/entry.hpp"

#include "base/ascii.hpp"
#include "base/visible_text.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

namespace keyturn {
namespace {

constexpr std::string_view identifier = "keyturnd";

/// A message may have several lines.
std::string visible_lines(std::string_view text) {
    std::vector<std::string> lines;
    for (const std::string_view line : split(text, "\n")) lines.push_back(visible_text(line));
    return fmt::format("{}", fmt::join(lines, "\n"));
}

}  // namespace

std::vector<std::string> journal_fields(const Event& event) {
    const std::array<std::pair<std::string_view, std::string_view>, 11> optional_fields{{
        {"TUNNEL_NAME", event.tunnel_name},
        {"TUNNEL_ID", event.tunnel_id},
        {"ROTATION_ID", event.rotation_id},
        {"TARGET_UNIT", event.target_unit},
        {"BATCH", event.batch},
        {"PHASE", event.phase},
        {"RESULT", event.result},
        {"FINGERPRINT", event.fingerprint},
        {"FLEET_HOST", event.fleet_host},
        {"FLEET_EPOCH", event.fleet_epoch},
        {"FLEET_REV", event.fleet_rev},
    }};
    std::vector<std::string> fields{
        fmt::format("MESSAGE={}", visible_lines(event.message)),
        fmt::format("PRIORITY={}", static_cast<int>(event.priority)),
        fmt::format("MESSAGE_ID={}", message_id_of(event.kind)),
        fmt::format("SYSLOG_IDENTIFIER={}", identifier),
    };
    for (const auto& [name, value] : optional_fields) {
        if (!value.empty()) fields.push_back(fmt::format("{}={}", name, visible_text(value)));
    }
    return fields;
}

}  // namespace keyturn
