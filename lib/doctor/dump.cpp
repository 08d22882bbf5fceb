#include "doctor/dump.hpp"

#include "base/ascii.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <array>
#include <ranges>

namespace keyturn {

namespace {

using Json = nlohmann::ordered_json;

/// Of the fields that journald adds, these tell what happened. The others tell of the host.
constexpr std::array<std::string_view, 6> kept_fields{
    "__REALTIME_TIMESTAMP", "__MONOTONIC_TIMESTAMP", "_BOOT_ID", "_PID",
    "_SYSTEMD_UNIT",        "_SYSTEMD_INVOCATION_ID"};

bool is_kept(std::string_view field) {
    return !field.starts_with('_') || std::ranges::find(kept_fields, field) != kept_fields.end();
}

Json short_entry(const Json& entry) {
    Json kept = Json::object();
    for (const auto& [field, value] : entry.items())
        if (is_kept(field)) kept[field] = value;
    return kept;
}

}  // namespace

std::string manifest(std::string_view heading, const std::vector<DumpFile>& files) {
    std::string text = fmt::format("{}\n{:>9} {:>8}  file\n", heading, "bytes", "redacted");
    for (const DumpFile& file : files) {
        text += fmt::format("{:>9} {:>8}  {}\n{:20}from {}\n", file.content.text.size(),
                            file.content.count, file.name, "", file.source);
        if (!file.note.empty()) text += fmt::format("{:20}{}\n", "", file.note);
    }
    return text;
}

JournalPart part_of_journal(std::string_view newest_first, const JournalLimits& limits) {
    std::vector<std::string> lines;
    std::size_t bytes = 0;
    JournalPart part;
    for (const std::string_view line : split(newest_first, "\n")) {
        if (line.empty()) continue;
        const Json entry = Json::parse(line, nullptr, false);
        std::string kept;
        if (entry.is_object())
            kept = short_entry(entry).dump(-1, ' ', true, Json::error_handler_t::replace);
        part.cut = kept.empty() || lines.size() == limits.entries ||
                   bytes + kept.size() + 1 > limits.bytes;
        if (part.cut) break;
        bytes += kept.size() + 1;
        lines.push_back(std::move(kept));
    }
    for (const std::string& line : std::views::reverse(lines)) part.text += line + "\n";
    return part;
}

}  // namespace keyturn
