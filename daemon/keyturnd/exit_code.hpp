#pragma once

namespace keyturn {

// What keyturnd ends with; keyturnd(8) lists them, and the unit does not restart 2 and 78.
inline constexpr int exit_ok = 0;
inline constexpr int exit_error = 1;
inline constexpr int exit_usage = 2;
inline constexpr int exit_locked = 75;  // EX_TEMPFAIL: another keyturnd has the state directory.
inline constexpr int exit_policy = 78;  // EX_CONFIG

}  // namespace keyturn
