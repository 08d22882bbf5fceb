#include "member/describe.hpp"

#include "member/fleet_tunnel.hpp"

#include <fmt/format.h>

#include <string_view>

namespace keyturn {

namespace {

std::string what_is_open(const FleetDocument& document) {
    const std::optional<RotationRecord>& record = document.state.rotation;
    if (!record) return "no rotation is open";
    const std::string lead =
        document.lead ? fmt::format("{} leads", document.lead->host) : "no host leads";
    const std::string batch =
        record->batch > 0 ? fmt::format(", batch {} of {}", record->batch, record->batch_count())
                          : "";
    return fmt::format("{}{}{}, {}", name_of(record->phase), batch, record->hold ? ", held" : "",
                       lead);
}

std::string what_a_unit_does(const FleetDocument& document, const FleetMember& member,
                             const std::string& unit, const MemberUnit& reported) {
    const FleetTurn* turn = document.turn_of(unit);
    if (turn != nullptr && turn->open()) {
        return turn->state == TurnState::taken ? "restarting (its turn)" : "may restart (its turn)";
    }
    const std::string_view file = member.file == document.deliver ? "file is current"
                                  : member.file.empty()           ? "no token in its file"
                                                                  : "file is not current yet";
    const std::optional<RotationRecord>& record = document.state.rotation;
    const UnitProgress* progress = record ? record->find(unit) : nullptr;
    const std::string step =
        progress == nullptr ? "" : fmt::format("{}, ", name_of(progress->step));
    const std::string serves = reported.seen.serves()    ? "serves"
                               : reported.seen.unknown() ? reported.seen.why_unknown()
                                                         : "does not serve";
    return fmt::format("{}{}, {}", step, file, serves);
}

}  // namespace

std::string describe_fleet(const std::string& tunnel, const FleetTunnel& fleet, BootTime now) {
    const std::optional<FleetDocument>& seen = fleet.seen();
    std::string text;
    if (!seen) {
        text = fmt::format("{}  the shared object has not been read yet\n", tunnel);
    } else {
        text = fmt::format("{}  {}; rev {}, read {} ago\n", tunnel, what_is_open(*seen), seen->rev,
                           to_text(now - fleet.seen_at()));
        for (const auto& [host, member] : seen->members) {
            for (const MemberUnit& unit : member.units) {
                text += fmt::format(
                    "  {:<12} {:<28} {}\n", host, unit.name(),
                    what_a_unit_does(*seen, member, fleet_unit(host, unit.name()), unit));
            }
            const bool silent = member.answers < seen->ask;
            if (member.units.empty()) text += fmt::format("  {:<12} no unit\n", host);
            if (silent) text += fmt::format("  {:<12} has not answered yet\n", host);
            for (const std::string* why : {&member.problem, &member.lacks}) {
                if (!why->empty()) text += fmt::format("  {:<12} {}\n", host, *why);
            }
        }
    }
    if (seen && !seen->order.refusal.empty()) {
        text += fmt::format("  the last order ({}, typed on {}) was refused: {}\n",
                            name_of(seen->order.kind), seen->order.by, seen->order.refusal);
    }
    for (const std::string& what : fleet.trouble().texts()) {
        text += fmt::format("  on this host: {}\n", what);
    }
    return text;
}

}  // namespace keyturn
