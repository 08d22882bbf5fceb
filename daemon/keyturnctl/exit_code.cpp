#include "exit_code.hpp"

#include <algorithm>
#include <array>

namespace keyturn {
namespace {

/// Ordered by urgency: the code that needs a person most comes last.
constexpr std::array by_urgency{ExitCode::ok, ExitCode::findings, ExitCode::superseded,
                                ExitCode::reverted, ExitCode::held};

/// A refused rotation has no code here: it changed nothing, and if the next one would be refused
/// too, that is a finding.
ExitCode exit_code_of(const TunnelStatus& tunnel) {
    if (tunnel.state == "held") return ExitCode::held;
    if (!tunnel.phase.empty()) return ExitCode::ok;
    const ExitCode outcome = exit_code_of_outcome(tunnel.last_outcome);
    if (outcome == ExitCode::reverted || outcome == ExitCode::superseded) return outcome;
    return tunnel.findings.empty() ? ExitCode::ok : ExitCode::findings;
}

auto urgency_of(ExitCode code) {
    return std::find(by_urgency.begin(), by_urgency.end(), code);
}

}  // namespace

ExitCode exit_code_of_outcome(std::string_view outcome) {
    if (outcome == "done" || outcome == "adopted" || outcome == "released") return ExitCode::ok;
    if (outcome == "refused") return ExitCode::refused;
    if (outcome == "reverted") return ExitCode::reverted;
    if (outcome == "superseded" || outcome == "taken over") return ExitCode::superseded;
    return ExitCode::error;
}

ExitCode exit_code_of(const std::vector<TunnelStatus>& tunnels) {
    ExitCode worst = ExitCode::ok;
    for (const TunnelStatus& tunnel : tunnels) {
        const ExitCode code = exit_code_of(tunnel);
        if (urgency_of(code) > urgency_of(worst)) worst = code;
    }
    return worst;
}

}  // namespace keyturn
