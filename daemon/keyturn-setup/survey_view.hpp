#pragma once

#include "setup/connector_survey.hpp"

#include <string>

namespace keyturn {

/// Where a unit's process has its token from, in words: "its command line, which all users see".
[[nodiscard]] std::string source_text(const ProcessToken& running);

/// The connectors of the host, a few lines each.
[[nodiscard]] std::string survey_text(const Survey& survey);

}  // namespace keyturn
