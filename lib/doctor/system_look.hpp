#pragma once

#include "doctor/facts.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

class ServiceLook;

/// What the kernel and the files below `root` say about the host. `services` may be null.
[[nodiscard]] SystemSeen look_at_system(ServiceLook* services, const std::string& root = {});

/// Swap devices in the text of /proc/swaps that are neither compressed memory (zram) nor a
/// dm-crypt device by their name. Pure.
[[nodiscard]] std::vector<std::string> open_swaps(std::string_view text);

/// "252" of systemd's "252.39-1~deb12u1"; zero if there is none. Pure.
[[nodiscard]] int version_number(std::string_view text);

/// Cron files, scripts of timers and Terraform files that call what keyturnd is for. Looks at a
/// limited number of files.
[[nodiscard]] std::vector<RotatorSeen> look_for_rotators(const std::string& root = {});

/// Processes named keyturnd besides this one, in the process namespace of the caller.
[[nodiscard]] std::vector<int> other_daemons(std::uint32_t own);

}  // namespace keyturn
