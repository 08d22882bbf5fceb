#pragma once

#include "doctor/facts.hpp"
#include "doctor/finding.hpp"

#include <vector>

namespace keyturn {

// The function of each check, in the order of the table in checks.cpp. All are pure.

using Findings = std::vector<Finding>;

// checks_of_host.cpp
[[nodiscard]] Findings look_at_bus(const HostFacts& facts);
[[nodiscard]] Findings look_at_systemd_version(const HostFacts& facts);
[[nodiscard]] Findings look_at_state_directory(const HostFacts& facts);
[[nodiscard]] Findings look_at_disk_space(const HostFacts& facts);
[[nodiscard]] Findings look_at_inodes(const HostFacts& facts);
[[nodiscard]] Findings look_at_journal(const HostFacts& facts);
[[nodiscard]] Findings look_at_swap(const HostFacts& facts);
[[nodiscard]] Findings look_at_updater(const HostFacts& facts);
[[nodiscard]] Findings look_at_rotators(const HostFacts& facts);

// checks_of_keyturnd.cpp
[[nodiscard]] Findings look_for_policy(const HostFacts& facts);
[[nodiscard]] Findings look_at_policy(const HostFacts& facts);
[[nodiscard]] Findings look_at_own_unit_file(const HostFacts& facts);
[[nodiscard]] Findings look_at_keyturnd(const HostFacts& facts);
[[nodiscard]] Findings look_at_enabling(const HostFacts& facts);
[[nodiscard]] Findings look_at_loaded_policy(const HostFacts& facts);
[[nodiscard]] Findings look_for_second_keyturnd(const HostFacts& facts);
[[nodiscard]] Findings look_at_polkit(const HostFacts& facts);
[[nodiscard]] Findings look_at_rights(const HostFacts& facts);
[[nodiscard]] Findings look_at_holds(const HostFacts& facts);
[[nodiscard]] Findings look_at_keyturnds_findings(const HostFacts& facts);

// checks_of_network.cpp
[[nodiscard]] Findings look_at_api_name(const HostFacts& facts);
[[nodiscard]] Findings look_at_api_port(const HostFacts& facts);
[[nodiscard]] Findings look_at_edge_name(const HostFacts& facts);
[[nodiscard]] Findings look_at_edge(const HostFacts& facts);
[[nodiscard]] Findings look_at_edge_tcp(const HostFacts& facts);
[[nodiscard]] Findings look_at_edge_udp(const HostFacts& facts);
[[nodiscard]] Findings look_at_proxies(const HostFacts& facts);
[[nodiscard]] Findings look_at_clock(const HostFacts& facts);

// checks_of_api.cpp
[[nodiscard]] Findings look_for_api_token(const HostFacts& facts);
[[nodiscard]] Findings look_at_host_key(const HostFacts& facts);
[[nodiscard]] Findings look_at_api_token_text(const HostFacts& facts);
[[nodiscard]] Findings look_at_api_token_mode(const HostFacts& facts);
[[nodiscard]] Findings look_at_api_answer(const HostFacts& facts);
[[nodiscard]] Findings look_at_address_filter(const HostFacts& facts);
[[nodiscard]] Findings look_at_api_token_validity(const HostFacts& facts);
[[nodiscard]] Findings look_at_api_token_expiry(const HostFacts& facts);
[[nodiscard]] Findings look_for_tunnel(const HostFacts& facts);
[[nodiscard]] Findings look_at_deletion(const HostFacts& facts);
[[nodiscard]] Findings look_at_permission(const HostFacts& facts);
[[nodiscard]] Findings look_at_connectors(const HostFacts& facts);
[[nodiscard]] Findings look_at_slots(const HostFacts& facts);

// checks_of_units.cpp
[[nodiscard]] Findings look_for_units(const HostFacts& facts);
[[nodiscard]] Findings look_for_masks(const HostFacts& facts);
[[nodiscard]] Findings look_at_reload(const HostFacts& facts);
[[nodiscard]] Findings look_at_lost_files(const HostFacts& facts);
[[nodiscard]] Findings look_at_activity(const HostFacts& facts);
[[nodiscard]] Findings look_at_versions(const HostFacts& facts);
[[nodiscard]] Findings look_at_dragged_units(const HostFacts& facts);
[[nodiscard]] Findings look_at_restart(const HostFacts& facts);
[[nodiscard]] Findings look_at_start_limit(const HostFacts& facts);
[[nodiscard]] Findings look_at_start_timeout(const HostFacts& facts);
[[nodiscard]] Findings look_at_stop_timeout(const HostFacts& facts);
[[nodiscard]] Findings look_at_networks(const HostFacts& facts);
[[nodiscard]] Findings look_at_connections(const HostFacts& facts);
[[nodiscard]] Findings look_at_surge(const HostFacts& facts);

// checks_of_tokens.cpp
[[nodiscard]] Findings look_at_token_file(const HostFacts& facts);
[[nodiscard]] Findings look_at_token_file_age(const HostFacts& facts);
[[nodiscard]] Findings look_at_adoption(const HostFacts& facts);
[[nodiscard]] Findings look_at_drop_in_order(const HostFacts& facts);
[[nodiscard]] Findings look_at_token_settings(const HostFacts& facts);
[[nodiscard]] Findings look_at_unit_tunnel(const HostFacts& facts);
[[nodiscard]] Findings look_at_running_source(const HostFacts& facts);
[[nodiscard]] Findings look_at_running_token(const HostFacts& facts);
[[nodiscard]] Findings look_at_attestation(const HostFacts& facts);
[[nodiscard]] Findings look_at_command_lines(const HostFacts& facts);
[[nodiscard]] Findings look_at_unit_texts(const HostFacts& facts);
[[nodiscard]] Findings look_at_exposed_files(const HostFacts& facts);
[[nodiscard]] Findings look_for_unplanned_units(const HostFacts& facts);
[[nodiscard]] Findings look_for_unmanaged_units(const HostFacts& facts);
[[nodiscard]] Findings look_elsewhere(const HostFacts& facts);

}  // namespace keyturn
