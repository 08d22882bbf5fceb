#include "simulation/statistics.hpp"

#include <fmt/format.h>

#include <numeric>

namespace keyturn::simulation {

namespace {

/// Holds because of an action's error are rarer. These are the reasons that must be seen.
constexpr std::array hold_reasons{
    HoldReason::verification_failed, HoldReason::operator_took_over, HoldReason::too_few_replicas,
    HoldReason::not_allowed,         HoldReason::not_listed,         HoldReason::secret_not_taken,
    HoldReason::foreign_rotation,    HoldReason::retired_secret,     HoldReason::denied,
    HoldReason::not_locked_out,      HoldReason::surge_not_stopped};

/// Events that mark a path of the heart other than the straight one.
constexpr std::array paths{
    EventKind::rotation_refused,  EventKind::rotation_resumed, EventKind::unit_left_stopped,
    EventKind::soak_restarted,    EventKind::replica_decaying, EventKind::replica_promoted,
    EventKind::rotation_waiting,  EventKind::hold_urgent,      EventKind::foreign_rotation,
    EventKind::token_put_back,    EventKind::straggler_seen,   EventKind::rotation_paused,
    EventKind::surge_started,     EventKind::surge_stopped,    EventKind::rotation_reverting,
    EventKind::connector_evicted, EventKind::locked_out,       EventKind::token_file_changed};

constexpr std::array sides{"before an effect", "after it, before its answer"};

std::string table_row(std::string_view name, std::uint64_t count) {
    return fmt::format("  {:<42} {:>12}\n", name, count);
}

}  // namespace

void Statistics::add(const Statistics& other) {
    runs += other.runs;
    rotations += other.rotations;
    committed += other.committed;
    committed_with_fault += other.committed_with_fault;
    committed_units += other.committed_units;
    done += other.done;
    refused += other.refused;
    reverted += other.reverted;
    moved += other.moved;
    moved_back += other.moved_back;
    compromises += other.compromises;
    dropped_in_doubt += other.dropped_in_doubt;
    take_overs += other.take_overs;
    steps += other.steps;
    simulated += other.simulated;
    for (std::size_t i = 0; i < fault_kinds; ++i) faults[i] += other.faults[i];
    for (std::size_t phase = 0; phase < crashes.size(); ++phase) {
        for (std::size_t side = 0; side < 2; ++side) {
            crashes[phase][side] += other.crashes[phase][side];
        }
    }
    for (const auto& [reason, count] : other.holds) holds[reason] += count;
    for (const auto& [kind, count] : other.events) events[kind] += count;
}

std::uint64_t Statistics::fault_total() const {
    return std::accumulate(faults.begin(), faults.end(), std::uint64_t{0});
}

double Statistics::units_mean() const {
    return committed == 0 ? 0
                          : static_cast<double>(committed_units) / static_cast<double>(committed);
}

std::string Statistics::to_text() const {
    std::string text;
    const auto days = std::chrono::duration_cast<std::chrono::days>(simulated).count();
    text += fmt::format(
        "{} runs, {} days simulated: {} rotations, {} of them reached the commit with a mean of "
        "{:.1f} units, {} of these with at least one fault; {} faults, {} steps\n",
        runs, days, rotations, committed, units_mean(), committed_with_fault, fault_total(), steps);
    text += "how they ended\n" + table_row("done", done) + table_row("refused", refused);
    text += table_row("reverted", reverted);
    text += table_row("units moved", moved);
    text += table_row("units moved back", moved_back);
    text += table_row("taken over while idle", take_overs);
    text += table_row("compromised", compromises);
    text += table_row("a stranger while a unit is silent", dropped_in_doubt);
    text += "faults\n";
    for (std::size_t i = 0; i < fault_kinds; ++i) text += table_row(fault_names[i], faults[i]);
    text += "keyturnd killed\n";
    for (std::size_t phase = 0; phase < crashes.size(); ++phase) {
        for (std::size_t side = 0; side < 2; ++side) {
            const auto name = name_of(static_cast<Phase>(phase));
            text += table_row(fmt::format("in {}, {}", name, sides[side]), crashes[phase][side]);
        }
    }
    text += "holds\n";
    for (const auto& [reason, count] : holds) text += table_row(name_of(reason), count);
    text += "events\n";
    for (const auto& [kind, count] : events) text += table_row(name_of(kind), count);
    return text;
}

std::vector<std::string> Statistics::missed_corners(std::uint64_t least) const {
    std::vector<std::string> missed;
    const auto look = [&](std::string what, std::uint64_t count) {
        if (count < least) missed.push_back(fmt::format("{}: {} times", what, count));
    };
    for (std::size_t i = 0; i < fault_kinds; ++i) {
        look(fmt::format("fault {}", fault_names[i]), faults[i]);
    }
    for (std::size_t phase = 0; phase < crashes.size(); ++phase) {
        for (std::size_t side = 0; side < 2; ++side) {
            const auto name = name_of(static_cast<Phase>(phase));
            look(fmt::format("killed in {}, {}", name, sides[side]), crashes[phase][side]);
        }
    }
    look("taken over while idle", take_overs);
    look("reverted", reverted);
    look("units moved", moved);
    look("units moved back", moved_back);
    look("compromised", compromises);
    look("a stranger while a unit is silent", dropped_in_doubt);
    for (const HoldReason reason : hold_reasons) {
        const auto found = holds.find(reason);
        look(fmt::format("held: {}", name_of(reason)), found == holds.end() ? 0 : found->second);
    }
    for (const EventKind kind : paths) {
        const auto found = events.find(kind);
        look(fmt::format("event {}", name_of(kind)), found == events.end() ? 0 : found->second);
    }
    return missed;
}

}  // namespace keyturn::simulation
