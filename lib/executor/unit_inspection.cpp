#include "executor/unit_inspection.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace keyturn {

std::optional<UnitProblem> unit_problem(const UnitSettings& settings, const std::string& token_file,
                                        const ConnectorFiles& files, const std::string& tunnel) {
    if (settings.need_daemon_reload) {
        return UnitProblem{
            "its unit file changed on disk and systemd has not read it; run `systemctl "
            "daemon-reload`, and check the unit before a restart puts the change into effect"};
    }
    if (!settings.dragged_along.empty()) {
        return UnitProblem{fmt::format(
            "restarting it would also restart or stop {}; loosen that dependency (Requires=, "
            "BindsTo= or PartOf=) first",
            fmt::join(settings.dragged_along, ", "))};
    }
    auto problem = token_source_problem(settings, token_file, files);
    if (!problem) return std::nullopt;
    const std::string named = tunnel_named_by(settings, files);
    // If it takes its token from our file, that name has no effect.
    if (!named.empty() && named != tunnel) {
        return UnitProblem{fmt::format(
            "it names the tunnel {}, but the policy says {}: correct `units:`", named, tunnel)};
    }
    return UnitProblem{std::move(*problem), true};
}

}  // namespace keyturn
