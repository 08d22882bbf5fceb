#pragma once

#include "base/result.hpp"
#include "command_line.hpp"
#include "wire/tunnel_plan.hpp"
#include "wire/tunnel_status.hpp"

#include <systemd/sd-bus.h>

#include <memory>
#include <string>
#include <vector>

namespace keyturn {

struct BusCloser {
    void operator()(sd_bus* bus) const { sd_bus_flush_close_unref(bus); }
};
using BusConnection = std::unique_ptr<sd_bus, BusCloser>;

/// Calls keyturnd over the system bus. Every call blocks until the answer, for at most 5 s (about
/// two minutes if polkit may ask for a password). Faults: `unreachable` when there is no bus or no
/// keyturnd on it, `missing` for an unknown tunnel, `denied` and `conflict` when keyturnd refuses.
class Client {
  public:
    [[nodiscard]] static Result<Client> open();

    [[nodiscard]] Result<std::vector<TunnelStatus>> tunnels();

    /// The error lists the tunnels of the policy.
    [[nodiscard]] Result<TunnelStatus> tunnel(const std::string& name);

    /// Returns this tunnel, or all of them if the name is empty.
    [[nodiscard]] Result<std::vector<TunnelStatus>> tunnels_named(const std::string& name);

    /// Returns the next `count` scheduled starts of each tunnel.
    [[nodiscard]] Result<std::vector<TunnelPlan>> plans(unsigned count);

    [[nodiscard]] Result<void> rotate(const RotateCommand& command);
    [[nodiscard]] Result<void> decide(const DecisionCommand& command);

    /// Returns the sentence that says what happened.
    [[nodiscard]] Result<std::string> fleet(const FleetCommand& command);
    /// Returns lines for a person.
    [[nodiscard]] Result<std::string> fleet_status(const std::string& tunnel);

    [[nodiscard]] sd_bus* bus() const { return bus_.get(); }

  private:
    explicit Client(BusConnection bus) : bus_(std::move(bus)) {}

    BusConnection bus_;
};

/// Returns true for the errors that mean that nobody owns the name on the bus.
[[nodiscard]] bool says_not_running(const sd_bus_error& error);

}  // namespace keyturn
