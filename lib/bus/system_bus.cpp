#include "bus/bus.hpp"

#include <cstdlib>

namespace keyturn {

namespace {

constexpr const char* default_address = "unix:path=/run/dbus/system_bus_socket";

const char* system_bus_address() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): the daemon has one thread.
    const char* address = ::secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
    return address != nullptr ? address : default_address;
}

/// Does the same as sd_bus_open_system. sd_bus_start only connects the socket, which takes no time
/// for a Unix socket. Authentication and Hello are left to sd_bus_process.
Result<BusHandle> open_system_bus() {
    sd_bus* raw = nullptr;
    int status = sd_bus_new(&raw);
    BusHandle bus(raw);
    if (status >= 0) status = sd_bus_set_address(raw, system_bus_address());
    if (status >= 0) status = sd_bus_set_bus_client(raw, 1);
    if (status >= 0) status = sd_bus_set_description(raw, "system");
    // Otherwise anyone on the bus could send so many file descriptors that keyturnd has none left.
    if (status >= 0) status = sd_bus_negotiate_fds(raw, 0);
    if (status >= 0) status = sd_bus_start(raw);
    if (status < 0) {
        Error error = errno_error(-status, "cannot connect to the system bus");
        error.fault = Fault::unreachable;
        return error;
    }
    return bus;
}

}  // namespace

Bus::Opener system_bus() {
    return open_system_bus;
}

}  // namespace keyturn
