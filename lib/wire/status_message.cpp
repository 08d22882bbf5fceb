#include "wire/status_message.hpp"

#include "wire/names.hpp"
#include "wire/tunnel_properties.hpp"

#include <algorithm>
#include <string_view>
#include <tuple>

namespace keyturn {
namespace {

template <class Value>
int read_variant(sd_bus_message* message, Value& value) {
    int result = sd_bus_message_enter_container(message, 'v', BusType<Value>::signature.text);
    if (result >= 0) result = BusType<Value>::read(message, value);
    return result < 0 ? result : sd_bus_message_exit_container(message);
}

int read_property(sd_bus_message* message, std::string_view name, TunnelStatus& status) {
    int result = 0;
    const auto read_if_named = [&](const auto& property) {
        if (name != property.name) return false;
        result = read_variant(message, status.*property.member);
        return true;
    };
    const bool known =
        std::apply([&](const auto&... property) { return (read_if_named(property) || ...); },
                   tunnel_properties);
    return known ? result : sd_bus_message_skip(message, "v");
}

/// Calls `read` inside each entry of a D-Bus dictionary.
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

/// Reads one object of GetManagedObjects and skips it if it is no tunnel.
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
