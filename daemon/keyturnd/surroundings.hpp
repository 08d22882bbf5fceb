#pragma once

#include <string>

namespace keyturn {

/// The machine id, or "" if there is none: then all hosts with the same policy have the same places
/// in the splay.
[[nodiscard]] std::string read_host_id();

/// The directory with the credentials from systemd; empty if the unit has none.
[[nodiscard]] std::string credentials_directory();

}  // namespace keyturn
