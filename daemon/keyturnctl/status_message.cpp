#include "status_message.hpp"

#include "control/bus_time.hpp"
#include "control/names.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>
#include <utility>

namespace keyturn {
namespace {

using TextField = std::pair<std::string_view, std::string TunnelStatus::*>;
using NumberField = std::pair<std::string_view, int TunnelStatus::*>;
using ListField = std::pair<std::string_view, std::vector<std::string> TunnelStatus::*>;
using DurationField = std::pair<std::string_view, std::optional<Milliseconds> TunnelStatus::*>;
using TimeField = std::pair<std::string_view, std::optional<WallTime> TunnelStatus::*>;

constexpr std::array<TextField, 12> text_fields{{{"Name", &TunnelStatus::name},
                                                 {"TunnelId", &TunnelStatus::tunnel},
                                                 {"State", &TunnelStatus::state},
                                                 {"Phase", &TunnelStatus::phase},
                                                 {"Reason", &TunnelStatus::reason},
                                                 {"HoldReason", &TunnelStatus::hold_reason},
                                                 {"RotationId", &TunnelStatus::rotation_id},
                                                 {"LastOutcome", &TunnelStatus::last_outcome},
                                                 {"Trigger", &TunnelStatus::trigger},
                                                 {"Fingerprint", &TunnelStatus::fingerprint},
                                                 {"DueCause", &TunnelStatus::due_cause},
                                                 {"HeldUnit", &TunnelStatus::held_unit}}};
constexpr std::array<NumberField, 2> number_fields{
    {{"Batch", &TunnelStatus::batch}, {"BatchCount", &TunnelStatus::batch_count}}};
constexpr std::array<TimeField, 5> time_fields{{{"Started", &TunnelStatus::started},
                                                {"StepStarted", &TunnelStatus::step_started},
                                                {"StepEnds", &TunnelStatus::step_ends},
                                                {"LastDone", &TunnelStatus::last_done},
                                                {"Due", &TunnelStatus::due}}};

constexpr std::array<ListField, 3> list_fields{{{"Findings", &TunnelStatus::findings},
                                                {"Notes", &TunnelStatus::notes},
                                                {"Evicted", &TunnelStatus::evicted}}};
constexpr std::array<DurationField, 2> duration_fields{
    {{"Lockout", &TunnelStatus::lockout}, {"Outage", &TunnelStatus::outage}}};

template <class Fields>
auto find(const Fields& fields, std::string_view name) {
    return std::find_if(fields.begin(), fields.end(),
                        [&](const auto& field) { return field.first == name; });
}

int read_text(sd_bus_message* message, std::string& field) {
    const char* text = nullptr;
    const int result = sd_bus_message_read(message, "v", "s", &text);
    if (result >= 0) field = text;
    return result;
}

int read_time(sd_bus_message* message, std::optional<WallTime>& field) {
    std::uint64_t microseconds = 0;
    const int result = sd_bus_message_read(message, "v", "t", &microseconds);
    field = result >= 0 ? from_bus_time(microseconds) : std::nullopt;
    return result;
}

int read_duration(sd_bus_message* message, std::optional<Milliseconds>& field) {
    std::uint64_t microseconds = 0;
    const int result = sd_bus_message_read(message, "v", "t", &microseconds);
    field.reset();
    if (microseconds > 0) field = Milliseconds{static_cast<std::int64_t>(microseconds / 1000)};
    return result;
}

int read_flag(sd_bus_message* message, bool& field) {
    int value = 0;
    const int result = sd_bus_message_read(message, "v", "b", &value);
    field = value != 0;
    return result;
}

int read_units(sd_bus_message* message, std::vector<UnitStatus>& units) {
    if (const int result = sd_bus_message_enter_container(message, 'v', "a(ssiis)"); result < 0) {
        return result;
    }
    if (const int result = sd_bus_message_enter_container(message, 'a', "(ssiis)"); result < 0) {
        return result;
    }
    units.clear();
    const char* name = nullptr;
    const char* step = nullptr;
    const char* verified_by = nullptr;
    int batch = 0;
    int connections = 0;
    int result = 0;
    while ((result = sd_bus_message_read(message, "(ssiis)", &name, &step, &batch, &connections,
                                         &verified_by)) > 0) {
        units.push_back({name, step, batch, connections, verified_by});
    }
    if (result >= 0) result = sd_bus_message_exit_container(message);
    return result < 0 ? result : sd_bus_message_exit_container(message);
}

int read_list(sd_bus_message* message, std::vector<std::string>& list) {
    if (const int result = sd_bus_message_enter_container(message, 'v', "as"); result < 0) {
        return result;
    }
    if (const int result = sd_bus_message_enter_container(message, 'a', "s"); result < 0) {
        return result;
    }
    list.clear();
    const char* item = nullptr;
    int result = 0;
    while ((result = sd_bus_message_read(message, "s", &item)) > 0) list.emplace_back(item);
    if (result >= 0) result = sd_bus_message_exit_container(message);
    return result < 0 ? result : sd_bus_message_exit_container(message);
}

int read_property(sd_bus_message* message, std::string_view name, TunnelStatus& status) {
    if (const auto text = find(text_fields, name); text != text_fields.end()) {
        return read_text(message, status.*(text->second));
    }
    if (const auto number = find(number_fields, name); number != number_fields.end()) {
        return sd_bus_message_read(message, "v", "i", &(status.*(number->second)));
    }
    if (const auto time = find(time_fields, name); time != time_fields.end()) {
        return read_time(message, status.*(time->second));
    }
    if (name == "Units") return read_units(message, status.units);
    if (name == "CanRevert") return read_flag(message, status.can_revert);
    if (const auto list = find(list_fields, name); list != list_fields.end()) {
        return read_list(message, status.*(list->second));
    }
    if (const auto duration = find(duration_fields, name); duration != duration_fields.end()) {
        return read_duration(message, status.*(duration->second));
    }
    return sd_bus_message_skip(message, "v");
}

/// Calls `read` inside each entry of an array of dictionary entries.
template <class Read>
int for_each_entry(sd_bus_message* message, const char* array, const char* entry, Read read) {
    int result = sd_bus_message_enter_container(message, 'a', array);
    if (result < 0) return result;
    while ((result = sd_bus_message_enter_container(message, 'e', entry)) > 0) {
        result = read();
        if (result >= 0) result = sd_bus_message_exit_container(message);
        if (result < 0) return result;
    }
    return result < 0 ? result : sd_bus_message_exit_container(message);
}

/// One object of GetManagedObjects, as far as it is a tunnel.
int read_object(sd_bus_message* message, std::vector<TunnelStatus>& tunnels) {
    const char* path = nullptr;
    if (const int result = sd_bus_message_read(message, "o", &path); result < 0) return result;
    return for_each_entry(message, "{sa{sv}}", "sa{sv}", [&] {
        const char* interface = nullptr;
        const int result = sd_bus_message_read(message, "s", &interface);
        if (result < 0) return result;
        if (std::string_view(interface) != tunnel_interface) {
            return sd_bus_message_skip(message, "a{sv}");
        }
        return read_properties(message, tunnels.emplace_back());
    });
}

}  // namespace

int read_properties(sd_bus_message* message, TunnelStatus& status) {
    return for_each_entry(message, "{sv}", "sv", [&] {
        const char* name = nullptr;
        const int result = sd_bus_message_read(message, "s", &name);
        return result < 0 ? result : read_property(message, name, status);
    });
}

int read_managed_objects(sd_bus_message* message, std::vector<TunnelStatus>& tunnels) {
    const int result = for_each_entry(message, "{oa{sa{sv}}}", "oa{sa{sv}}",
                                      [&] { return read_object(message, tunnels); });
    std::sort(
        tunnels.begin(), tunnels.end(),
        [](const TunnelStatus& left, const TunnelStatus& right) { return left.name < right.name; });
    return result;
}

}  // namespace keyturn
