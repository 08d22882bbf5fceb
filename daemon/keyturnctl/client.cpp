#include "client.hpp"

#include "base/closest.hpp"
#include "wire/names.hpp"
#include "wire/plan_type.hpp"
#include "wire/requests.hpp"
#include "wire/status_message.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <unistd.h>
#include <utility>

namespace keyturn {
namespace {

using std::chrono::microseconds;

constexpr microseconds call_deadline = std::chrono::seconds{5};
/// A little longer than keyturnd waits for polkit, so that the user sees keyturnd's reason and not
/// a timeout.
constexpr microseconds password_deadline = std::chrono::seconds{125};

constexpr std::size_t names_shown_max = 10;

const char* system_bus_address() {
    const char* address = ::secure_getenv("DBUS_SYSTEM_BUS_ADDRESS");
    return address != nullptr ? address : "unix:path=/run/dbus/system_bus_socket";
}

struct MessageDeleter {
    void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using MessageHandle = std::unique_ptr<sd_bus_message, MessageDeleter>;

class BusError {
  public:
    BusError() = default;
    ~BusError() { sd_bus_error_free(&error_); }
    BusError(const BusError&) = delete;
    BusError& operator=(const BusError&) = delete;
    sd_bus_error* out() { return &error_; }
    const sd_bus_error& get() const { return error_; }

  private:
    sd_bus_error error_{};
};

Fault fault_of(const sd_bus_error& error) {
    const auto is = [&](const char* name) { return sd_bus_error_has_name(&error, name) > 0; };
    if (is(control_error::no_such_tunnel)) return Fault::missing;
    if (is(control_error::already_open) || is(control_error::not_held) ||
        is(control_error::conflict)) {
        return Fault::conflict;
    }
    if (is(control_error::refused) || is(SD_BUS_ERROR_ACCESS_DENIED) ||
        is(SD_BUS_ERROR_INTERACTIVE_AUTHORIZATION_REQUIRED)) {
        return Fault::denied;
    }
    return Fault::invalid;
}

Error error_of(const sd_bus_error& error, int result) {
    if (says_not_running(error)) {
        return {Fault::unreachable,
                "keyturnd is not running; to see why: systemctl status keyturnd",
                {}};
    }
    if (result == -ETIMEDOUT || sd_bus_error_has_name(&error, SD_BUS_ERROR_NO_REPLY) > 0) {
        return {Fault::busy, "keyturnd does not answer; to see why: systemctl status keyturnd", {}};
    }
    if (result == -ENOTCONN || result == -ECONNRESET || result == -ENOENT ||
        result == -ECONNREFUSED) {
        return {Fault::unreachable,
                "the system bus is unavailable; to see why: systemctl status dbus",
                {}};
    }
    const char* text = error.message != nullptr ? error.message : std::strerror(-result);
    const Fault fault = fault_of(error);
    if (sd_bus_error_has_name(&error, SD_BUS_ERROR_ACCESS_DENIED) > 0 && geteuid() != 0) {
        return {fault, fmt::format("{}; try again with sudo", text), {}};
    }
    return {fault, text, {}};
}

Error no_such_tunnel(const std::string& name, const std::vector<TunnelStatus>& tunnels) {
    std::vector<std::string_view> names;
    for (const TunnelStatus& tunnel : tunnels) names.push_back(tunnel.name);
    const std::string_view near = closest(name, names);
    std::string text = fmt::format("there is no tunnel {}", name);
    if (!near.empty()) text += fmt::format("; did you mean {}?", near);
    if (names.empty()) return {Fault::missing, text + "; the policy has no tunnels", {}};
    const std::size_t shown = std::min(names.size(), names_shown_max);
    if (near.empty()) {
        names.resize(shown);
        text += fmt::format("; the policy has: {}", fmt::join(names, ", "));
        if (shown < tunnels.size()) text += fmt::format(" and {} more", tunnels.size() - shown);
    }
    return {Fault::missing, text, {}};
}

Result<MessageHandle> new_call(sd_bus* bus, const char* interface, const char* member) {
    sd_bus_message* raw = nullptr;
    const int result =
        sd_bus_message_new_method_call(bus, &raw, control_name, control_path, interface, member);
    if (result < 0) return errno_error(-result, "cannot create a D-Bus message");
    sd_bus_message_set_auto_start(raw, 0);
    return MessageHandle(raw);
}

Result<MessageHandle> send(sd_bus* bus, sd_bus_message* call, microseconds deadline) {
    BusError error;
    sd_bus_message* reply = nullptr;
    const int result =
        sd_bus_call(bus, call, static_cast<std::uint64_t>(deadline.count()), error.out(), &reply);
    if (result < 0) return error_of(error.get(), result);
    return MessageHandle(reply);
}

/// Root needs no password. For other users, the reply may have to wait for one.
Result<void> act(sd_bus* bus, sd_bus_message* call) {
    const bool root = geteuid() == 0;
    sd_bus_message_set_allow_interactive_authorization(call, root ? 0 : 1);
    const auto reply = send(bus, call, root ? call_deadline : password_deadline);
    if (reply.has_error()) return reply.error();
    return {};
}

Result<std::string> read_text(const Result<MessageHandle>& reply) {
    if (reply.has_error()) return reply.error();
    const char* text = nullptr;
    const int result = sd_bus_message_read(reply->get(), "s", &text);
    if (result < 0) return errno_error(-result, "keyturnd sent an invalid answer");
    return std::string(text);
}

}  // namespace

/// Does the same as sd_bus_open_system, but sets the deadline before the Hello message: a bus that
/// accepts connections and does not answer would block us for 25 s.
Result<Client> Client::open() {
    sd_bus* raw = nullptr;
    int result = sd_bus_new(&raw);
    BusConnection bus(raw);
    const auto deadline = static_cast<std::uint64_t>(call_deadline.count());
    if (result >= 0) result = sd_bus_set_address(raw, system_bus_address());
    if (result >= 0) result = sd_bus_set_bus_client(raw, 1);
    if (result >= 0) result = sd_bus_set_method_call_timeout(raw, deadline);
    if (result >= 0) result = sd_bus_start(raw);
    if (result >= 0) return Client(std::move(bus));
    return Error{Fault::unreachable,
                 fmt::format("the system bus is unavailable: {}; to see why: systemctl status dbus",
                             std::strerror(-result)),
                 {}};
}

Result<std::vector<TunnelStatus>> Client::tunnels() {
    auto call = new_call(bus(), "org.freedesktop.DBus.ObjectManager", "GetManagedObjects");
    if (call.has_error()) return call.error();
    auto reply = send(bus(), call->get(), call_deadline);
    if (reply.has_error()) return reply.error();
    std::vector<TunnelStatus> tunnels;
    const int result = read_managed_objects(reply->get(), tunnels);
    if (result < 0)
        return Error{
            Fault::invalid,
            "keyturnd sent an invalid answer; install keyturnctl and keyturnd in the same version",
            {}};
    return tunnels;
}

Result<TunnelStatus> Client::tunnel(const std::string& name) {
    auto all = tunnels();
    if (all.has_error()) return all.error();
    const auto found = std::find_if(all->begin(), all->end(),
                                    [&](const TunnelStatus& one) { return one.name == name; });
    if (found == all->end()) return no_such_tunnel(name, *all);
    return *found;
}

Result<std::vector<TunnelStatus>> Client::tunnels_named(const std::string& name) {
    if (name.empty()) return tunnels();
    auto one = tunnel(name);
    if (one.has_error()) return one.error();
    return std::vector<TunnelStatus>{std::move(one.value())};
}

Result<std::vector<TunnelPlan>> Client::plans(unsigned count) {
    auto call = new_call(bus(), manager_interface, plan_method);
    if (call.has_error()) return call.error();
    const int appended = sd_bus_message_append(call->get(), "u", count);
    if (appended < 0) return errno_error(-appended, "cannot send the number");
    auto reply = send(bus(), call->get(), call_deadline);
    if (reply.has_error()) return reply.error();
    std::vector<TunnelPlan> plans;
    const int result = PlansType::read(reply->get(), plans);
    if (result < 0)
        return Error{
            Fault::invalid,
            "keyturnd sent an invalid answer; install keyturnctl and keyturnd in the same version",
            {}};
    return plans;
}

Result<void> Client::rotate(const RotateCommand& command) {
    auto call = new_call(bus(), manager_interface, rotate_method.name);
    if (call.has_error()) return call.error();
    int result = sd_bus_message_append(call->get(), "s", command.tunnel.c_str());
    if (result >= 0) result = append_options(call->get(), command.request);
    if (result < 0) return errno_error(-result, "cannot send the name or the reason");
    return act(bus(), call->get());
}

Result<std::string> Client::fleet(const FleetCommand& command) {
    auto call = new_call(bus(), manager_interface, fleet_method.name);
    if (call.has_error()) return call.error();
    const int appended = sd_bus_message_append(call->get(), "sss", command.tunnel.c_str(),
                                               command.command.c_str(), command.argument.c_str());
    if (appended < 0) return errno_error(-appended, "cannot send the command");
    sd_bus_message_set_allow_interactive_authorization(call->get(), geteuid() == 0 ? 0 : 1);
    return read_text(send(bus(), call->get(), password_deadline));
}

Result<std::string> Client::fleet_status(const std::string& tunnel) {
    auto call = new_call(bus(), manager_interface, fleet_status_method);
    if (call.has_error()) return call.error();
    const int appended = sd_bus_message_append(call->get(), "s", tunnel.c_str());
    if (appended < 0) return errno_error(-appended, "cannot send the name");
    return read_text(send(bus(), call->get(), call_deadline));
}

Result<void> Client::decide(const DecisionCommand& command) {
    auto call = new_call(bus(), manager_interface, method_of(command.decision).name);
    if (call.has_error()) return call.error();
    const int result = sd_bus_message_append(call->get(), "s", command.tunnel.c_str());
    if (result < 0) return errno_error(-result, "cannot send the name");
    return act(bus(), call->get());
}

bool says_not_running(const sd_bus_error& error) {
    return sd_bus_error_has_name(&error, SD_BUS_ERROR_SERVICE_UNKNOWN) > 0 ||
           sd_bus_error_has_name(&error, SD_BUS_ERROR_NAME_HAS_NO_OWNER) > 0;
}

}  // namespace keyturn
