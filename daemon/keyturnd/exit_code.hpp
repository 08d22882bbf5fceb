#pragma once

namespace keyturn {

// The exit codes of keyturnd. keyturnd(8) lists them. systemd does not restart it after 2 and 78.
inline constexpr int exit_ok = 0;
inline constexpr int exit_error = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_locked = 75;  // EX_TEMPFAIL: another keyturnd uses the state directory.
inline constexpr int exit_policy = 78;  // EX_CONFIG

}  // namespace keyturn
