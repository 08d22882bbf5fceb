#pragma once

/// The words of the D-Bus interface that keyturnd serves and keyturnctl calls.
namespace keyturn {

inline constexpr const char* control_name = "org.keyturn.Keyturn1";
inline constexpr const char* control_path = "/org/keyturn/Keyturn1";

/// Below it, one object a tunnel: its name as `sd_bus_path_encode` writes it.
inline constexpr const char* tunnels_path = "/org/keyturn/Keyturn1/tunnel";

inline constexpr const char* manager_interface = "org.keyturn.Keyturn1.Manager";
inline constexpr const char* tunnel_interface = "org.keyturn.Keyturn1.Tunnel";

namespace control_error {

inline constexpr const char* refused = "org.keyturn.Error.Refused";
inline constexpr const char* no_such_tunnel = "org.keyturn.Error.NoSuchTunnel";
inline constexpr const char* not_held = "org.keyturn.Error.NotHeld";
inline constexpr const char* already_open = "org.keyturn.Error.AlreadyOpen";
inline constexpr const char* conflict = "org.keyturn.Error.Conflict";

}  // namespace control_error
}  // namespace keyturn
