#pragma once

#include "policy/document.hpp"
#include "policy/draft.hpp"
#include "policy/problem_list.hpp"

namespace keyturn {

/// Document to draft, driven by the key table: unknown, missing and misplaced keys, wrong types and
/// values out of bounds become problems, all of them at once.
[[nodiscard]] PolicyDraft read_document(const DocumentNode& document, ProblemList& problems);

}  // namespace keyturn
