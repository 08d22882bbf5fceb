#include "survey_view.hpp"

#include <fmt/format.h>

namespace keyturn {

std::string source_text(const ProcessToken& running) {
    switch (running.origin) {
        case TokenOrigin::argument: return "its command line, which every user can read";
        case TokenOrigin::environment: return "its environment";
        case TokenOrigin::credential: return "a systemd credential (" + running.path + ")";
        case TokenOrigin::file:
        case TokenOrigin::configuration: return running.path;
        case TokenOrigin::program:
        case TokenOrigin::not_cloudflared: break;
    }
    return "an unknown place";
}

std::string survey_text(const Survey& survey) {
    std::string text;
    for (const SurveyedUnit& unit : survey.units) {
        text += fmt::format("{}\n", unit.name());
        if (unit.running.token) {
            text += fmt::format("    tunnel {} of account {}\n    token from {}\n",
                                unit.running.token->tunnel, unit.running.token->account,
                                source_text(unit.running));
        }
        if (!unit.obstacle.empty()) text += fmt::format("    left alone: {}\n", unit.obstacle);
    }
    for (const std::string& other : survey.elsewhere)
        text += fmt::format("left alone: {}\n", other);
    return text;
}

}  // namespace keyturn
