#include "control/tunnel_object.hpp"

#include "wire/names.hpp"
#include "wire/tunnel_properties.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <tuple>
#include <utility>

namespace keyturn {
namespace {

/// The getter that sd-bus calls for the property in this row of the table.
template <std::size_t index>
int get_property(sd_bus*, const char*, const char*, const char*, sd_bus_message* reply,
                 void* tunnel, sd_bus_error*) {
    constexpr auto property = std::get<index>(tunnel_properties);
    const auto& status = *static_cast<const TunnelStatus*>(tunnel);
    return decltype(property)::Type::append(reply, status.*property.member);
}

template <std::size_t index>
sd_bus_vtable vtable_entry() {
    constexpr auto property = std::get<index>(tunnel_properties);
    constexpr std::uint64_t flags =
        property.fixed ? SD_BUS_VTABLE_PROPERTY_CONST : SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE;
    return SD_BUS_PROPERTY(property.name, decltype(property)::Type::signature.text,
                           get_property<index>, 0, flags);
}

constexpr std::size_t property_count = std::tuple_size_v<decltype(tunnel_properties)>;

template <std::size_t... index>
std::array<sd_bus_vtable, property_count + 2> vtable_of(std::index_sequence<index...>) {
    return {{SD_BUS_VTABLE_START(0), vtable_entry<index>()..., SD_BUS_VTABLE_END}};
}

}  // namespace

int TunnelObjects::install(sd_bus* bus) {
    static const auto vtable = vtable_of(std::make_index_sequence<property_count>{});
    sd_bus_slot* objects = nullptr;
    sd_bus_slot* names = nullptr;
    int result = sd_bus_add_fallback_vtable(bus, &objects, tunnels_path, tunnel_interface,
                                            vtable.data(), find, this);
    slots_.emplace_back(objects);
    if (result < 0) return result;
    result = sd_bus_add_node_enumerator(bus, &names, tunnels_path, list, this);
    slots_.emplace_back(names);
    return result < 0 ? result : 0;
}

void TunnelObjects::emit_changed(sd_bus* bus, const std::string& tunnel) {
    if (snapshot_.find(bus, tunnel) == nullptr) return;
    // A null list means all properties.
    sd_bus_emit_properties_changed_strv(bus, tunnel_path(tunnel).c_str(), tunnel_interface,
                                        nullptr);
}

int TunnelObjects::find(sd_bus* bus, const char* path, const char*, void* self, void** found,
                        sd_bus_error*) {
    char* raw = nullptr;
    const int decoded = sd_bus_path_decode(path, tunnels_path, &raw);
    if (decoded <= 0) return decoded;
    const std::unique_ptr<char, decltype(&std::free)> tunnel(raw, &std::free);
    *found = static_cast<TunnelObjects*>(self)->snapshot_.find(bus, tunnel.get());
    return *found != nullptr ? 1 : 0;
}

/// sd-bus frees the array and every string in it with free().
int TunnelObjects::list(sd_bus*, const char*, void* self, char*** nodes, sd_bus_error*) {
    const std::vector<std::string> tunnels = static_cast<TunnelObjects*>(self)->names_();
    auto** paths = static_cast<char**>(std::calloc(tunnels.size() + 1, sizeof(char*)));
    if (paths == nullptr) return -ENOMEM;
    std::size_t count = 0;
    for (const std::string& tunnel : tunnels) {
        paths[count] = ::strdup(tunnel_path(tunnel).c_str());
        if (paths[count] != nullptr) ++count;
    }
    *nodes = paths;
    return 0;
}

}  // namespace keyturn
