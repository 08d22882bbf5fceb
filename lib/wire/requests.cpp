#include "wire/requests.hpp"

#include "wire/bus_type.hpp"

#include <systemd/sd-bus.h>

namespace keyturn {

namespace {

int append_units(sd_bus_message* call, const std::vector<std::string>& units) {
    int result = sd_bus_message_open_container(call, 'e', "sv");
    if (result >= 0) result = sd_bus_message_append(call, "s", units_option);
    if (result >= 0) result = sd_bus_message_open_container(call, 'v', "as");
    if (result >= 0) result = BusType<std::vector<std::string>>::append(call, units);
    if (result >= 0) result = sd_bus_message_close_container(call);
    return result < 0 ? result : sd_bus_message_close_container(call);
}

}  // namespace

int append_options(sd_bus_message* call, const RotationRequest& request) {
    int result = sd_bus_message_open_container(call, 'a', "{sv}");
    if (result >= 0) {
        result = sd_bus_message_append(call, "{sv}", reason_option, "s", request.trigger.c_str());
    }
    for (const RotateFlag& flag : rotate_flags) {
        if (result < 0) return result;
        if (flag.later && !flag.get(request)) continue;
        result = sd_bus_message_append(call, "{sv}", flag.name, "b", flag.get(request) ? 1 : 0);
    }
    if (result >= 0 && !request.units.empty()) result = append_units(call, request.units);
    return result < 0 ? result : sd_bus_message_close_container(call);
}

}  // namespace keyturn
