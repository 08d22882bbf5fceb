#pragma once

#include "policy/draft.hpp"
#include "policy/problem_list.hpp"

namespace keyturn {

/// Checks the parts of a draft against each other: references, units and tunnels claimed twice, and
/// values that cannot work together. Adds warnings for what is allowed but unusual.
void check_draft(PolicyDraft& draft, ProblemList& problems);

}  // namespace keyturn
