#pragma once

#include "policy/document.hpp"
#include "policy/draft.hpp"
#include "policy/problem_list.hpp"

namespace keyturn {

/// Reads a document into a draft, driven by the key table. Reports unknown, missing and misplaced
/// keys, wrong types and values out of bounds, all of them at once.
[[nodiscard]] PolicyDraft read_document(const DocumentNode& document, ProblemList& problems);

}  // namespace keyturn
