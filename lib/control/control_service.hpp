#pragma once

#include "base/result.hpp"
#include "wire/names.hpp"
#include "wire/requests.hpp"
#include "wire/tunnel_plan.hpp"
#include "wire/tunnel_status.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace keyturn {

class Bus;

/// What the service does for its callers. All of them are called from inside the bus pump: they
/// answer at once and leave the work to the daemon's own loop. They may call `changed`.
///
/// What an Error of `rotate` and `decide` becomes on the bus, with its text as the message:
/// `missing` org.keyturn.Error.NoSuchTunnel; `denied` org.keyturn.Error.Refused; `conflict`
/// org.keyturn.Error.AlreadyOpen for rotate, NotHeld for retry and Conflict for the others;
/// `invalid` org.freedesktop.DBus.Error.InvalidArgs; the rest org.freedesktop.DBus.Error.Failed.
struct ControlHandlers {
    std::function<std::vector<TunnelStatus>()> status;
    /// The next starts of each tunnel, `count` of each; 1 to `planned_starts_max`.
    std::function<std::vector<TunnelPlan>(unsigned count)> plan;
    /// `trigger` is the operator's reason: one line, `rotate_reason_bytes_max` at most; maybe
    /// empty.
    std::function<Result<void>(const std::string& tunnel, const RotationRequest&)> rotate;
    std::function<Result<void>(const std::string& tunnel, Decision)> decide;

    /// The name on the bus is ours: keyturnctl reaches the daemon. Again after each reconnect.
    std::function<void()> reachable;

    /// Told, in a sentence, that the name on the bus was not got or was lost: keyturnctl cannot
    /// reach the daemon then.
    std::function<void(const std::string& sentence)> report;
};

/// org.keyturn.Keyturn1 on the system bus: /org/keyturn/Keyturn1 (Manager) and one object a tunnel
/// below it. Reading is open to all; acting is for root, or for whom polkit allows org.keyturn.*.
/// The interface is described in lib/wire/README.md.
class ControlService {
  public:
    /// `bus` outlives the service. Registers with `Bus::on_connect`, so also after a reconnect.
    ControlService(Bus& bus, ControlHandlers handlers);
    ~ControlService();
    ControlService(const ControlService&) = delete;
    ControlService& operator=(const ControlService&) = delete;

    /// Tells the bus that the status of a tunnel changed: one PropertiesChanged with the whole
    /// status, so that whoever listens sees every step although steps may follow each other fast.
    void changed(const std::string& tunnel);

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace keyturn
