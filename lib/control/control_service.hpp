#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"
#include "control/tunnel_status.hpp"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace keyturn {

class Bus;

/// What `keyturnctl rotate` asks for.
struct RotateRequest {
    std::string reason;
    bool accept_gap = false;
};

/// What the service does for its callers. Errors become D-Bus errors org.freedesktop.DBus.Error.*
/// and org.keyturn.Error.{Refused,NoSuchTunnel,...} with the text.
struct ControlHandlers {
    std::function<std::vector<TunnelStatus>()> status;
    std::function<Result<void>(const std::string& tunnel, const RotateRequest&)> rotate;
    std::function<Result<void>(const std::string& tunnel)> retry;
};

/// org.keyturn.Keyturn1 on the system bus: /org/keyturn/Keyturn1 (Manager) and one object a tunnel
/// below it. Reading is open to all; acting is for root, or for whom polkit allows org.keyturn.*.
class ControlService {
  public:
    /// `bus` outlives the service. Registers with `Bus::on_connect`, so also after a reconnect.
    ControlService(Bus& bus, ControlHandlers handlers);
    ~ControlService();

    /// Tells the bus that the status of a tunnel changed (PropertiesChanged).
    void changed(const std::string& tunnel);

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

inline constexpr const char* control_name = "org.keyturn.Keyturn1";
inline constexpr const char* control_path = "/org/keyturn/Keyturn1";

}  // namespace keyturn
