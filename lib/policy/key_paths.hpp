#pragma once

#include <string_view>

namespace keyturn {

/// The part of a path after its last dot.
[[nodiscard]] constexpr std::string_view last_name(std::string_view path) {
    return path.substr(path.rfind('.') + 1);
}

// Paths of the key table that the code must name: keys that are compared with each other or that
// need special treatment.

inline constexpr std::string_view proxy_path = "cloudflare.proxy";
inline constexpr std::string_view tunnel_path = "tunnels.NAME";
inline constexpr std::string_view tunnel_id_path = "tunnels.NAME.tunnel";
inline constexpr std::string_view credential_path = "tunnels.NAME.credential";
inline constexpr std::string_view units_path = "tunnels.NAME.units";
inline constexpr std::string_view metrics_address_path = "tunnels.NAME.metrics_address";
inline constexpr std::string_view zone_path = "tunnels.NAME.timezone";
inline constexpr std::string_view rotate_path = "tunnels.NAME.rotate";
inline constexpr std::string_view every_path = "tunnels.NAME.rotate.every";
inline constexpr std::string_view calendar_path = "tunnels.NAME.rotate.calendar";
inline constexpr std::string_view cron_path = "tunnels.NAME.rotate.cron";
inline constexpr std::string_view max_age_path = "tunnels.NAME.rotate.max_age";
inline constexpr std::string_view min_interval_path = "tunnels.NAME.rotate.min_interval";
inline constexpr std::string_view windows_path = "tunnels.NAME.windows";
inline constexpr std::string_view freeze_path = "tunnels.NAME.freeze";
inline constexpr std::string_view batches_path = "tunnels.NAME.rollout.batches";
inline constexpr std::string_view settle_path = "tunnels.NAME.rollout.settle";
inline constexpr std::string_view soak_path = "tunnels.NAME.rollout.soak";
inline constexpr std::string_view soak_min_path = "tunnels.NAME.rollout.soak.min";
inline constexpr std::string_view soak_max_path = "tunnels.NAME.rollout.soak.max";
inline constexpr std::string_view min_available_path = "tunnels.NAME.rollout.min_available";
inline constexpr std::string_view min_healthy_time_path = "tunnels.NAME.rollout.min_healthy_time";
inline constexpr std::string_view healthy_deadline_path = "tunnels.NAME.rollout.healthy_deadline";
inline constexpr std::string_view progress_deadline_path = "tunnels.NAME.rollout.progress_deadline";
inline constexpr std::string_view surge_path = "tunnels.NAME.rollout.surge";
inline constexpr std::string_view accept_gap_path = "tunnels.NAME.rollout.accept_gap";

}  // namespace keyturn
