#pragma once

#include "policy/draft.hpp"
#include "policy/problem_list.hpp"

namespace keyturn {

/// Whether the times of one tunnel work together: ages, calendars that come, windows that open,
/// close and are long enough, freezes that end.
void check_schedule(const TunnelDraft& tunnel, ProblemList& problems);

}  // namespace keyturn
