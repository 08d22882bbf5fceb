#include "wire/requests.hpp"

#include <systemd/sd-bus.h>

namespace keyturn {

int append_options(sd_bus_message* call, const RotationRequest& request) {
    int result = sd_bus_message_open_container(call, 'a', "{sv}");
    if (result >= 0) {
        result = sd_bus_message_append(call, "{sv}", reason_option, "s", request.trigger.c_str());
    }
    for (const RotateFlag& flag : rotate_flags) {
        if (result < 0) return result;
        result = sd_bus_message_append(call, "{sv}", flag.name, "b", flag.get(request) ? 1 : 0);
    }
    return result < 0 ? result : sd_bus_message_close_container(call);
}

}  // namespace keyturn
