#pragma once

#include "policy/draft.hpp"
#include "policy/problem_list.hpp"

namespace keyturn {

/// Checks that the coordinator of each tunnel has what its kind needs and nothing else. After that
/// a tunnel has a coordinator only if it has other hosts, and then no surge.
void check_coordinators(PolicyDraft& draft, ProblemList& problems);

/// True if this host needs no Cloudflare credential for the tunnel, because it only follows.
[[nodiscard]] bool only_follows(const TunnelDraft& tunnel);

}  // namespace keyturn
