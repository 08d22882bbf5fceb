#include "control/control_service.hpp"

#include "bus/bus.hpp"
#include "bus/signal_listener.hpp"
#include "control/authorization.hpp"
#include "control/call_size.hpp"
#include "control/manager_object.hpp"
#include "control/snapshot.hpp"
#include "control/tunnel_object.hpp"

#include <fmt/format.h>

#include <cstring>
#include <string_view>
#include <utility>

namespace keyturn {
namespace {

/// Queue for the name, because a previous keyturnd that is just ending may still own it.
constexpr std::uint64_t name_flags = SD_BUS_NAME_QUEUE;
/// The answers to RequestName that mean that we own the name.
constexpr std::uint32_t primary_owner = 1;
constexpr std::uint32_t already_owner = 4;

constexpr SignalKind name_lost{"org.freedesktop.DBus", "/org/freedesktop/DBus",
                               "org.freedesktop.DBus", "NameLost"};

}  // namespace

/// Lives as long as the service. The bus holds only a weak pointer, because its handlers cannot be
/// removed.
class ControlService::Impl {
  public:
    Impl(Bus& bus, ControlHandlers handlers)
        : bus_(bus),
          handlers_(std::move(handlers)),
          snapshot_(handlers_.status),
          authorization_(bus),
          manager_(handlers_, snapshot_, authorization_),
          tunnels_(handlers_.tunnels, snapshot_),
          name_lost_(SignalListener::make(
              bus, name_lost, [this](sd_bus_message* signal) { on_name_lost(signal); })) {}

    void install(sd_bus* connection) {
        forget();
        snapshot_.outdate();  // Serial numbers start over with each connection.
        sd_bus_slot* filter = nullptr;
        sd_bus_add_filter(connection, &filter, refuse_huge_call, nullptr);
        size_filter_.reset(filter);
        const int manager = manager_.install(connection);
        const int tunnels = tunnels_.install(connection);
        if (manager < 0 || tunnels < 0) {
            return report(std::strerror(manager < 0 ? -manager : -tunnels));
        }
        request_name(connection);
    }

    void forget() {
        authorization_.forget();
        manager_.forget();
        tunnels_.forget();
        name_request_.reset();
        name_answered_ = false;
        size_filter_.reset();
    }

    /// Before the bus has answered our request for the name, nobody can know our objects.
    void changed(const std::string& tunnel) {
        snapshot_.outdate();
        if (!name_answered_) return;
        if (sd_bus* connection = bus_.handle(); connection != nullptr) {
            tunnels_.emit_changed(connection, tunnel);
            bus_.kick();
        }
    }

  private:
    void request_name(sd_bus* connection) {
        sd_bus_slot* request = nullptr;
        const int sent = sd_bus_request_name_async(connection, &request, control_name, name_flags,
                                                   on_name_answer, this);
        name_request_.reset(request);
        if (sent < 0) report(std::strerror(-sent));
    }

    static int on_name_answer(sd_bus_message* reply, void* self, sd_bus_error*) {
        auto& service = *static_cast<Impl*>(self);
        service.name_answered_ = true;
        if (const sd_bus_error* error = sd_bus_message_get_error(reply); error != nullptr) {
            service.report(error->message != nullptr ? error->message : error->name);
            return 0;
        }
        std::uint32_t answer = 0;
        if (sd_bus_message_read(reply, "u", &answer) < 0) answer = 0;
        const bool ours = answer == primary_owner || answer == already_owner;
        if (!ours) {
            service.report("another process owns it; keyturnd waits until it is free");
        } else if (service.handlers_.reachable) {
            service.handlers_.reachable();
        }
        return 0;
    }

    void on_name_lost(sd_bus_message* signal) const {
        const char* name = nullptr;
        if (sd_bus_message_read(signal, "s", &name) < 0) return;
        if (std::string_view(name) == control_name) report("the bus has taken it away");
    }

    void report(std::string_view why) const {
        handlers_.report(fmt::format(
            "keyturnctl cannot reach keyturnd, because keyturnd does not own the bus name {}: {}",
            control_name, why));
    }

    Bus& bus_;
    ControlHandlers handlers_;
    Snapshot snapshot_;
    Authorization authorization_;
    ManagerObject manager_;
    TunnelObjects tunnels_;
    Slot size_filter_;
    Slot name_request_;
    bool name_answered_ = false;
    std::shared_ptr<SignalListener> name_lost_;
};

ControlService::ControlService(Bus& bus, ControlHandlers handlers)
    : impl_(std::make_shared<Impl>(bus, std::move(handlers))) {
    bus.keep_installed(impl_);
}

ControlService::~ControlService() = default;

void ControlService::changed(const std::string& tunnel) {
    impl_->changed(tunnel);
}

}  // namespace keyturn
