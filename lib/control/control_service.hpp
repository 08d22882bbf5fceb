#pragma once

#include "base/result.hpp"
#include "wire/names.hpp"
#include "wire/requests.hpp"
#include "wire/tunnel_plan.hpp"
#include "wire/tunnel_status.hpp"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

class Bus;

/// Takes the sentence that says what a FleetCall has done.
using FleetTold = std::function<void(const Result<std::string>&)>;

/// The functions through which the service shows and controls the daemon. They are called from
/// inside the bus pump, so they must return at once and leave the work to the daemon's loop. They
/// may call `changed`.
///
/// An Error of `rotate` or `decide` becomes a D-Bus error with the same text: `missing`
/// org.keyturn.Error.NoSuchTunnel; `denied` org.keyturn.Error.Refused; `conflict`
/// org.keyturn.Error.AlreadyOpen for rotate, NotHeld for retry and Conflict for the others;
/// `invalid` org.freedesktop.DBus.Error.InvalidArgs; the rest org.freedesktop.DBus.Error.Failed.
struct ControlHandlers {
    std::function<std::vector<std::string>()> tunnels;
    /// Returns nothing for a tunnel that is not in the policy.
    std::function<std::optional<TunnelStatus>(const std::string& tunnel)> status;
    /// Returns the next `count` starts of each tunnel; `count` is 1 to `planned_starts_max`.
    std::function<std::vector<TunnelPlan>(unsigned count)> plan;
    /// `trigger` is the operator's reason: one line of at most `rotate_reason_bytes_max` bytes; may
    /// be empty.
    std::function<Result<void>(const std::string& tunnel, const RotationRequest&)> rotate;
    std::function<Result<void>(const std::string& tunnel, Decision)> decide;

    /// Acts on the fleet of a tunnel, and calls `told` once with a sentence that says what
    /// happened: later, but before two minutes are over.
    std::function<void(const std::string& tunnel, const FleetCall&, FleetTold told)> fleet;
    /// Describes the fleet of a tunnel in lines for a person. Fails with `conflict` if the tunnel
    /// has none.
    std::function<Result<std::string>(const std::string& tunnel)> fleet_status;

    /// Called when keyturnd owns its bus name, so that keyturnctl can reach it; also after each
    /// reconnect.
    std::function<void()> reachable;

    /// Called with a sentence when keyturnd does not get its bus name or loses it. keyturnctl
    /// cannot reach the daemon then.
    std::function<void(const std::string& sentence)> report;
};

/// Serves org.keyturn.Keyturn1 on the system bus: /org/keyturn/Keyturn1 (Manager), and below it one
/// object for each tunnel. Every user may read; acting needs root or a polkit action org.keyturn.*.
/// lib/wire/README.md describes the interface.
class ControlService {
  public:
    /// `bus` must outlive the service. Registers with `Bus::on_connect`, and so also after a
    /// reconnect.
    ControlService(Bus& bus, ControlHandlers handlers);
    ~ControlService();
    ControlService(const ControlService&) = delete;
    ControlService& operator=(const ControlService&) = delete;

    /// Emits one PropertiesChanged with the whole status of a tunnel, so that listeners see every
    /// step even if steps follow each other quickly.
    void changed(const std::string& tunnel);

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace keyturn
