#pragma once

#include "bus/bus.hpp"
#include "control/authorization.hpp"
#include "control/control_service.hpp"
#include "control/snapshot.hpp"

#include <vector>

namespace keyturn {

/// The object /org/keyturn/Keyturn1: the list of tunnels and the methods that act.
class ManagerObject {
  public:
    /// All three must outlive the object.
    ManagerObject(const ControlHandlers& handlers, Snapshot& snapshot, Authorization& authorization)
        : handlers_(handlers), snapshot_(snapshot), authorization_(authorization) {}

    /// Returns 0 or a negative errno.
    int install(sd_bus* bus);
    void forget() { slots_.clear(); }

  private:
    static const sd_bus_vtable vtable[];
    static int get_tunnels(sd_bus* bus, const char* path, const char* interface,
                           const char* property, sd_bus_message* reply, void* self,
                           sd_bus_error* error);
    static int on_list_tunnels(sd_bus_message* call, void* self, sd_bus_error* error);
    static int on_plan(sd_bus_message* call, void* self, sd_bus_error* error);
    static int on_rotate(sd_bus_message* call, void* self, sd_bus_error* error);
    static int on_fleet(sd_bus_message* call, void* self, sd_bus_error* error);
    static int on_fleet_status(sd_bus_message* call, void* self, sd_bus_error* error);
    template <Decision decision>
    static int on_decision(sd_bus_message* call, void* self, sd_bus_error* error);

    /// Carries out an allowed call and answers it, now or later.
    using Perform = std::function<void(sd_bus_message* call)>;
    int perform_if_allowed(sd_bus_message* call, const char* action, const std::string& tunnel,
                           Perform perform, sd_bus_error* error);
    using Act = std::function<Result<void>()>;
    int act_if_allowed(sd_bus_message* call, const char* action, const char* conflict_name,
                       const std::string& tunnel, Act act, sd_bus_error* error);

    const ControlHandlers& handlers_;
    Snapshot& snapshot_;
    Authorization& authorization_;
    std::vector<Slot> slots_;
};

}  // namespace keyturn
