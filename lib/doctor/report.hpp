#pragma once

#include "doctor/examination.hpp"

#include <string>

namespace keyturn {

/// What was found, for a person: the worst first, at most `columns` wide where words allow it.
/// Pure.
[[nodiscard]] std::string report_text(const Examination& examination, std::size_t columns);

/// The same for programs. Its keys are stable. Pure.
[[nodiscard]] std::string report_json(const Examination& examination);

/// Where the manual describes a check. Pure.
[[nodiscard]] std::string manual_of(const Check& check);

}  // namespace keyturn
