#pragma once

#include "base/result.hpp"
#include "doctor/examination.hpp"
#include "doctor/facts.hpp"
#include "keyturnctl/exit_code.hpp"

#include <string>

namespace keyturn {

/// Fails if something is at this path already, or nothing can be written there.
[[nodiscard]] Result<void> check_dump_path(const std::string& path);

/// Says what will be in the dump, and what will not.
void announce_dump();

/// Collects what a bug report needs, without secrets, in a new file of mode 0600 (tar, gzip), and
/// says what to do with it.
[[nodiscard]] Result<ExitCode> write_dump(const std::string& path, const HostFacts& facts,
                                          const Examination& examination);

}  // namespace keyturn
