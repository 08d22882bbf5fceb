#include "control/tunnel_object.hpp"

#include "control/bus_time.hpp"
#include "control/names.hpp"
#include "control/text.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <optional>

namespace keyturn {
namespace {

struct FreeDeleter {
    void operator()(char* text) const { std::free(text); }
};
using CString = std::unique_ptr<char, FreeDeleter>;

const TunnelStatus& status_of(void* tunnel) {
    return *static_cast<const TunnelStatus*>(tunnel);
}

template <std::string TunnelStatus::*Member>
int get_text(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void* tunnel,
             sd_bus_error*) {
    return sd_bus_message_append(reply, "s", bus_text(status_of(tunnel).*Member).c_str());
}

template <int TunnelStatus::*Member>
int get_number(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void* tunnel,
               sd_bus_error*) {
    return sd_bus_message_append(reply, "i", status_of(tunnel).*Member);
}

template <std::optional<WallTime> TunnelStatus::*Member>
int get_time(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void* tunnel,
             sd_bus_error*) {
    return sd_bus_message_append(reply, "t", to_bus_time(status_of(tunnel).*Member));
}

int get_units(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void* tunnel,
              sd_bus_error*) {
    int result = sd_bus_message_open_container(reply, 'a', "(ssiis)");
    for (const UnitStatus& unit : status_of(tunnel).units) {
        if (result < 0) return result;
        result = sd_bus_message_append(reply, "(ssiis)", bus_text(unit.name).c_str(),
                                       bus_text(unit.step).c_str(), unit.batch, unit.connections,
                                       bus_text(unit.verified_by).c_str());
    }
    return result < 0 ? result : sd_bus_message_close_container(reply);
}

template <std::vector<std::string> TunnelStatus::*Member>
int get_list(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply, void* tunnel,
             sd_bus_error*) {
    int result = sd_bus_message_open_container(reply, 'a', "s");
    for (const std::string& item : status_of(tunnel).*Member) {
        if (result < 0) return result;
        result = sd_bus_message_append(reply, "s", bus_text(item).c_str());
    }
    return result < 0 ? result : sd_bus_message_close_container(reply);
}

/// In microseconds; 0: none. Nothing that is told takes less than a millisecond.
template <std::optional<Milliseconds> TunnelStatus::*Member>
int get_duration(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply,
                 void* tunnel, sd_bus_error*) {
    const auto duration = status_of(tunnel).*Member;
    const Milliseconds told = duration ? std::max(*duration, Milliseconds{1}) : Milliseconds{0};
    return sd_bus_message_append(reply, "t", static_cast<std::uint64_t>(told.count()) * 1000U);
}

int get_can_revert(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply,
                   void* tunnel, sd_bus_error*) {
    return sd_bus_message_append(reply, "b", status_of(tunnel).can_revert ? 1 : 0);
}

constexpr std::uint64_t fixed = SD_BUS_VTABLE_PROPERTY_CONST;
constexpr std::uint64_t changes = SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE;

const sd_bus_vtable tunnel_vtable[] = {
    SD_BUS_VTABLE_START(0),
    SD_BUS_PROPERTY("Name", "s", get_text<&TunnelStatus::name>, 0, fixed),
    SD_BUS_PROPERTY("TunnelId", "s", get_text<&TunnelStatus::tunnel>, 0, changes),
    SD_BUS_PROPERTY("State", "s", get_text<&TunnelStatus::state>, 0, changes),
    SD_BUS_PROPERTY("Phase", "s", get_text<&TunnelStatus::phase>, 0, changes),
    SD_BUS_PROPERTY("Reason", "s", get_text<&TunnelStatus::reason>, 0, changes),
    SD_BUS_PROPERTY("HoldReason", "s", get_text<&TunnelStatus::hold_reason>, 0, changes),
    SD_BUS_PROPERTY("RotationId", "s", get_text<&TunnelStatus::rotation_id>, 0, changes),
    SD_BUS_PROPERTY("LastOutcome", "s", get_text<&TunnelStatus::last_outcome>, 0, changes),
    SD_BUS_PROPERTY("Trigger", "s", get_text<&TunnelStatus::trigger>, 0, changes),
    SD_BUS_PROPERTY("Fingerprint", "s", get_text<&TunnelStatus::fingerprint>, 0, changes),
    SD_BUS_PROPERTY("DueCause", "s", get_text<&TunnelStatus::due_cause>, 0, changes),
    SD_BUS_PROPERTY("Batch", "i", get_number<&TunnelStatus::batch>, 0, changes),
    SD_BUS_PROPERTY("BatchCount", "i", get_number<&TunnelStatus::batch_count>, 0, changes),
    SD_BUS_PROPERTY("Units", "a(ssiis)", get_units, 0, changes),
    SD_BUS_PROPERTY("Findings", "as", get_list<&TunnelStatus::findings>, 0, changes),
    SD_BUS_PROPERTY("Notes", "as", get_list<&TunnelStatus::notes>, 0, changes),
    SD_BUS_PROPERTY("HeldUnit", "s", get_text<&TunnelStatus::held_unit>, 0, changes),
    SD_BUS_PROPERTY("CanRevert", "b", get_can_revert, 0, changes),
    SD_BUS_PROPERTY("Evicted", "as", get_list<&TunnelStatus::evicted>, 0, changes),
    SD_BUS_PROPERTY("Lockout", "t", get_duration<&TunnelStatus::lockout>, 0, changes),
    SD_BUS_PROPERTY("Outage", "t", get_duration<&TunnelStatus::outage>, 0, changes),
    SD_BUS_PROPERTY("Started", "t", get_time<&TunnelStatus::started>, 0, changes),
    SD_BUS_PROPERTY("StepStarted", "t", get_time<&TunnelStatus::step_started>, 0, changes),
    SD_BUS_PROPERTY("StepEnds", "t", get_time<&TunnelStatus::step_ends>, 0, changes),
    SD_BUS_PROPERTY("LastDone", "t", get_time<&TunnelStatus::last_done>, 0, changes),
    SD_BUS_PROPERTY("Due", "t", get_time<&TunnelStatus::due>, 0, changes),
    SD_BUS_VTABLE_END};

}  // namespace

int TunnelObjects::install(sd_bus* bus) {
    sd_bus_slot* objects = nullptr;
    sd_bus_slot* names = nullptr;
    int result = sd_bus_add_fallback_vtable(bus, &objects, tunnels_path, tunnel_interface,
                                            tunnel_vtable, find, this);
    slots_.emplace_back(objects);
    if (result < 0) return result;
    result = sd_bus_add_node_enumerator(bus, &names, tunnels_path, list, this);
    slots_.emplace_back(names);
    return result < 0 ? result : 0;
}

void TunnelObjects::emit_changed(sd_bus* bus, const std::string& tunnel) {
    if (snapshot_.find(bus, tunnel) == nullptr) return;
    // No list of names stands for all of them.
    sd_bus_emit_properties_changed_strv(bus, path_of(tunnel).c_str(), tunnel_interface, nullptr);
}

std::string TunnelObjects::path_of(const std::string& tunnel) {
    char* raw = nullptr;
    if (sd_bus_path_encode(tunnels_path, bus_text(tunnel).c_str(), &raw) < 0) return {};
    const CString path(raw);
    return path.get();
}

int TunnelObjects::find(sd_bus* bus, const char* path, const char*, void* self, void** found,
                        sd_bus_error*) {
    char* raw = nullptr;
    const int decoded = sd_bus_path_decode(path, tunnels_path, &raw);
    if (decoded <= 0) return decoded;
    const CString tunnel(raw);
    *found = static_cast<TunnelObjects*>(self)->snapshot_.find(bus, tunnel.get());
    return *found != nullptr ? 1 : 0;
}

/// sd-bus frees the array and every string in it with free().
int TunnelObjects::list(sd_bus* bus, const char*, void* self, char*** nodes, sd_bus_error*) {
    const auto& tunnels = static_cast<TunnelObjects*>(self)->snapshot_.current(bus);
    auto** paths = static_cast<char**>(std::calloc(tunnels.size() + 1, sizeof(char*)));
    if (paths == nullptr) return -ENOMEM;
    std::size_t count = 0;
    for (const TunnelStatus& tunnel : tunnels) {
        const bool encoded =
            sd_bus_path_encode(tunnels_path, bus_text(tunnel.name).c_str(), &paths[count]) >= 0;
        if (encoded) ++count;
    }
    *nodes = paths;
    return 0;
}

}  // namespace keyturn
