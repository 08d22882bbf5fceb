#pragma once

#include <string_view>

namespace keyturn {

/// The part of a path after its last dot.
[[nodiscard]] constexpr std::string_view last_name(std::string_view path) {
    return path.substr(path.rfind('.') + 1);
}

// Paths of the key table that the code must name: keys that are compared with each other or that
// need special treatment.

inline constexpr std::string_view cloudflare_path = "cloudflare";
inline constexpr std::string_view credentials_path = "cloudflare.credentials";
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
inline constexpr std::string_view on_failure_path = "tunnels.NAME.rollout.on_failure";
inline constexpr std::string_view drift_restart_path = "tunnels.NAME.drift.restart";
inline constexpr std::string_view accept_gap_path = "tunnels.NAME.rollout.accept_gap";
inline constexpr std::string_view coordinator_path = "tunnels.NAME.coordinator";
inline constexpr std::string_view coordinator_kind_path = "tunnels.NAME.coordinator.kind";
inline constexpr std::string_view endpoint_path = "tunnels.NAME.coordinator.endpoint";
inline constexpr std::string_view bucket_path = "tunnels.NAME.coordinator.bucket";
inline constexpr std::string_view store_credential_path = "tunnels.NAME.coordinator.credential";
inline constexpr std::string_view region_path = "tunnels.NAME.coordinator.region";
inline constexpr std::string_view endpoints_path = "tunnels.NAME.coordinator.endpoints";
inline constexpr std::string_view cert_file_path = "tunnels.NAME.coordinator.cert_file";
inline constexpr std::string_view key_file_path = "tunnels.NAME.coordinator.key_file";
inline constexpr std::string_view user_path = "tunnels.NAME.coordinator.user";
inline constexpr std::string_view password_path = "tunnels.NAME.coordinator.password";
inline constexpr std::string_view prefix_path = "tunnels.NAME.coordinator.prefix";
inline constexpr std::string_view store_ca_file_path = "tunnels.NAME.coordinator.ca_file";
inline constexpr std::string_view shared_path_path = "tunnels.NAME.coordinator.path";
inline constexpr std::string_view fleet_key_path = "tunnels.NAME.coordinator.fleet_key";
inline constexpr std::string_view own_host_path = "tunnels.NAME.coordinator.host";
inline constexpr std::string_view hosts_path = "tunnels.NAME.coordinator.hosts";
inline constexpr std::string_view lead_path = "tunnels.NAME.coordinator.lead";

}  // namespace keyturn
