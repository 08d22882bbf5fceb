#pragma once

#include "policy/draft.hpp"
#include "policy/problem_list.hpp"

namespace keyturn {

/// Checks that the times of one tunnel work together: ages, calendars that occur at all, windows
/// that open, close and are long enough, freezes that end.
void check_schedule(const TunnelDraft& tunnel, ProblemList& problems);

}  // namespace keyturn
