#include "interrupted.hpp"

#include "bring_in.hpp"
#include "cloudflared/token_source.hpp"
#include "keyturnctl/terminal.hpp"
#include "proof.hpp"
#include "setup/unit_drop_in.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

namespace keyturn {

namespace {

namespace fs = std::filesystem;

/// True if the file is the latest change of the unit: somebody else's changes are theirs to check.
bool is_latest_change(const fs::path& path, const UnitSettings& settings) {
    std::error_code error;
    const auto ours = fs::last_write_time(path, error);
    return std::ranges::all_of(settings.files, [&](const std::string& file) {
        const auto theirs = fs::last_write_time(file, error);
        return error || theirs <= ours;
    });
}

/// True if systemd has not read a drop-in of ours, or one is gone and systemd does not know.
bool is_half_done(const UnitSettings& settings) {
    if (!settings.need_daemon_reload) return false;
    for (const std::string& file : settings.files)
        if (is_own_drop_in(file) && !fs::exists(file)) return true;
    std::error_code error;
    const fs::path directory = fs::path(drop_in_path(settings)).parent_path();
    for (const auto& entry : fs::directory_iterator(directory, error)) {
        const fs::path& path = entry.path();
        if (is_own_drop_in(path.string()) && is_latest_change(path, settings)) return true;
    }
    return false;
}

}  // namespace

Result<Survey> survey_host(Foreground& host, bool changes_nothing) {
    if (!changes_nothing) {
        // An extra connector would look like one that runs elsewhere.
        const auto waited = wait_for_moves();
        if (!waited) return waited.error();
        if (*waited == ExitCode::interrupted)
            return Error{Fault::cancelled, "nothing was changed; keyturnd goes on by itself", {}};
    }
    auto survey = host.wait(survey_connectors(host.units()));
    if (!survey || changes_nothing) return survey;
    const bool reload = std::ranges::any_of(
        survey->units, [](const SurveyedUnit& unit) { return is_half_done(unit.settings); });
    if (!reload) return survey;
    say("An earlier run was interrupted: systemd reads its drop-ins now\n");
    if (auto reloaded = daemon_reload(); !reloaded) return reloaded.error();
    return host.wait(survey_connectors(host.units()));
}

}  // namespace keyturn
