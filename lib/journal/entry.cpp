#include "journal/entry.hpp"

#include <fmt/format.h>

#include <array>
#include <string_view>
#include <utility>

namespace keyturn {
namespace {

constexpr std::string_view identifier = "keyturnd";

}  // namespace

std::vector<std::string> journal_fields(const Event& event) {
    const std::array<std::pair<std::string_view, std::string_view>, 8> optional_fields{{
        {"TUNNEL_NAME", event.tunnel_name},
        {"TUNNEL_ID", event.tunnel_id},
        {"ROTATION_ID", event.rotation_id},
        {"TARGET_UNIT", event.target_unit},
        {"BATCH", event.batch},
        {"PHASE", event.phase},
        {"RESULT", event.result},
        {"FINGERPRINT", event.fingerprint},
    }};
    std::vector<std::string> fields{
        fmt::format("MESSAGE={}", event.message),
        fmt::format("PRIORITY={}", static_cast<int>(event.priority)),
        fmt::format("MESSAGE_ID={}", message_id_of(event.kind)),
        fmt::format("SYSLOG_IDENTIFIER={}", identifier),
    };
    for (const auto& [name, value] : optional_fields) {
        if (!value.empty()) fields.push_back(fmt::format("{}={}", name, value));
    }
    return fields;
}

std::string plain_line(const Event& event) {
    std::string line = fmt::format("<{}>{}", static_cast<int>(event.priority), event.message);
    for (char& c : line) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    }
    return line + "\n";
}

}  // namespace keyturn
