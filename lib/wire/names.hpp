#pragma once

#include <string>

/// The names in the D-Bus interface that keyturnd serves and keyturnctl calls. They never change.
namespace keyturn {

inline constexpr const char* control_name = "org.keyturn.Keyturn1";
inline constexpr const char* control_path = "/org/keyturn/Keyturn1";

/// The parent of the tunnels' objects, whose names are encoded by `sd_bus_path_encode`.
inline constexpr const char* tunnels_path = "/org/keyturn/Keyturn1/tunnel";

inline constexpr const char* manager_interface = "org.keyturn.Keyturn1.Manager";
inline constexpr const char* tunnel_interface = "org.keyturn.Keyturn1.Tunnel";

/// A method of the Manager that changes something, and the polkit action that its caller needs.
struct ActingMethod {
    const char* name;
    const char* polkit_action;
};

inline constexpr const char* plan_method = "Plan";
inline constexpr ActingMethod rotate_method{"Rotate", "org.keyturn.rotate"};
inline constexpr ActingMethod retry_method{"Retry", "org.keyturn.retry"};
inline constexpr ActingMethod pause_method{"Pause", "org.keyturn.pause"};
inline constexpr ActingMethod resume_method{"Resume", "org.keyturn.resume"};
inline constexpr ActingMethod revert_method{"Revert", "org.keyturn.revert"};
inline constexpr ActingMethod fleet_method{"Fleet", "org.keyturn.fleet"};
inline constexpr const char* fleet_status_method = "FleetStatus";

namespace control_error {

inline constexpr const char* refused = "org.keyturn.Error.Refused";
inline constexpr const char* no_such_tunnel = "org.keyturn.Error.NoSuchTunnel";
inline constexpr const char* not_held = "org.keyturn.Error.NotHeld";
inline constexpr const char* already_open = "org.keyturn.Error.AlreadyOpen";
inline constexpr const char* conflict = "org.keyturn.Error.Conflict";

}  // namespace control_error

/// Returns the object path of a tunnel; empty if memory runs out.
[[nodiscard]] std::string tunnel_path(const std::string& tunnel);

}  // namespace keyturn
