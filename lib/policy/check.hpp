#pragma once

#include "policy/draft.hpp"
#include "policy/problem_list.hpp"

namespace keyturn {

/// Holds the parts of a draft against each other: references, units and tunnels that are claimed
/// twice, and values that cannot work together. Adds warnings for what is allowed but odd.
void check_draft(PolicyDraft& draft, ProblemList& problems);

}  // namespace keyturn
