#include "doctor/service_look.hpp"

#include <chrono>
#include <cstdlib>
#include <limits>
#include <memory>

namespace keyturn {

namespace {

constexpr const char* systemd_name = "org.freedesktop.systemd1";
constexpr const char* manager_path = "/org/freedesktop/systemd1";
constexpr const char* manager = "org.freedesktop.systemd1.Manager";
constexpr const char* unit_interface = "org.freedesktop.systemd1.Unit";
constexpr const char* service_interface = "org.freedesktop.systemd1.Service";
constexpr std::chrono::microseconds answer_patience = std::chrono::seconds{5};

template <class T>
T number(sd_bus* bus, const std::string& path, const char* interface, const char* property,
         char type) {
    T value{};
    sd_bus_get_property_trivial(bus, systemd_name, path.c_str(), interface, property, nullptr, type,
                                &value);
    return value;
}

}  // namespace

Result<ServiceLook> ServiceLook::open() {
    sd_bus* raw = nullptr;
    const int status = sd_bus_open_system(&raw);
    BusHandle bus(raw);
    if (status < 0) return errno_error(-status, "the system bus is unavailable");
    sd_bus_set_method_call_timeout(bus.get(), static_cast<std::uint64_t>(answer_patience.count()));
    return ServiceLook(std::move(bus));
}

std::string ServiceLook::path_of(const std::string& unit) {
    sd_bus_message* raw = nullptr;
    const int status = sd_bus_call_method(bus_.get(), systemd_name, manager_path, manager,
                                          "LoadUnit", nullptr, &raw, "s", unit.c_str());
    const Message answer(raw);
    const char* path = nullptr;
    if (status < 0 || sd_bus_message_read_basic(raw, 'o', &path) <= 0) return {};
    return path;
}

std::string ServiceLook::text(const std::string& path, const char* interface,
                              const char* property) {
    char* value = nullptr;
    sd_bus_get_property_string(bus_.get(), systemd_name, path.c_str(), interface, property, nullptr,
                               &value);
    const std::unique_ptr<char, decltype(&std::free)> owned(value, &std::free);
    return value == nullptr ? std::string() : std::string(value);
}

Milliseconds ServiceLook::duration(const std::string& path, const char* interface,
                                   const char* property) {
    const auto value = number<std::uint64_t>(bus_.get(), path, interface, property, 't');
    if (value == std::numeric_limits<std::uint64_t>::max()) return Milliseconds{0};
    return std::chrono::duration_cast<Milliseconds>(std::chrono::microseconds{value});
}

ServiceSeen ServiceLook::service(const std::string& unit) {
    ServiceSeen seen;
    const std::string path = path_of(unit);
    if (path.empty()) return seen;
    seen.type = text(path, service_interface, "Type");
    seen.restart = text(path, service_interface, "Restart");
    seen.restart_pause = duration(path, service_interface, "RestartUSec");
    seen.start_limit_burst =
        number<std::uint32_t>(bus_.get(), path, unit_interface, "StartLimitBurst", 'u');
    seen.start_limit_interval = duration(path, unit_interface, "StartLimitIntervalUSec");
    seen.exit_status =
        number<std::int32_t>(bus_.get(), path, service_interface, "ExecMainStatus", 'i');
    seen.result = text(path, service_interface, "Result");
    seen.unit_file_state = text(path, unit_interface, "UnitFileState");
    seen.private_network =
        number<int>(bus_.get(), path, service_interface, "PrivateNetwork", 'b') != 0;
    seen.network_namespace = text(path, service_interface, "NetworkNamespacePath");
    return seen;
}

std::string ServiceLook::manager_text(const char* property) {
    return text(manager_path, manager, property);
}

bool ServiceLook::is_active(const std::string& unit) {
    const std::string path = path_of(unit);
    return !path.empty() && text(path, unit_interface, "ActiveState") == "active";
}

}  // namespace keyturn
