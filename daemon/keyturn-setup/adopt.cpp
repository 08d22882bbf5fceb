#include "attested.hpp"
#include "bring_in.hpp"
#include "cloudflared/configuration_file.hpp"
#include "host.hpp"
#include "interrupted.hpp"
#include "keyturnctl/terminal.hpp"
#include "model/installed_names.hpp"
#include "prompt.hpp"
#include "setup.hpp"
#include "setup/command.hpp"
#include "survey_view.hpp"
#include "take_out.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace keyturn {

namespace {

/// The tunnel of the policy that a unit belongs to.
Result<const TunnelPolicy*> tunnel_of(const HostPolicy& policy, const SurveyedUnit& unit) {
    for (const TunnelPolicy& tunnel : policy.policy().tunnels)
        if (is_planned(tunnel.units, unit.settings)) return &tunnel;
    return Error{
        Fault::missing,
        fmt::format("{} is not in the policy; to add it, run: keyturnctl setup", unit.name()),
        {}};
}

Result<const SurveyedUnit*> find_unit(const Survey& survey, const std::string& name) {
    const std::string full = name.find('.') == std::string::npos ? name + ".service" : name;
    for (const SurveyedUnit& unit : survey.units) {
        const auto& names = unit.settings.names;
        if (unit.name() == full || std::ranges::find(names, full) != names.end()) return &unit;
    }
    std::vector<std::string> known;
    for (const SurveyedUnit& unit : survey.units) known.push_back(unit.name());
    return Error{Fault::missing,
                 fmt::format("{} is no unit with a cloudflared on this host{}{}", full,
                             known.empty() ? "" : "; there are: ", fmt::join(known, ", ")),
                 {}};
}

/// The named units, by their tunnels. One that cannot be brought in is an error.
Result<std::vector<TunnelToBringIn>> grouped(const AdoptCommand& command, const Survey& survey,
                                             const HostPolicy& policy) {
    std::vector<TunnelToBringIn> tunnels;
    for (const std::string& name : command.units) {
        const auto unit = find_unit(survey, name);
        if (!unit) return unit.error();
        if (!command.undo && !(*unit)->obstacle.empty()) {
            return Error{
                Fault::denied, fmt::format("{}: {}", (*unit)->name(), (*unit)->obstacle), {}};
        }
        const auto tunnel = tunnel_of(policy, **unit);
        // An undo that was interrupted has got that far.
        if (!tunnel && command.undo) {
            say("{} is not in the policy\n", (*unit)->name());
            continue;
        }
        if (!tunnel) return tunnel.error();
        if (!command.undo && (*unit)->running.token->tunnel != (*tunnel)->tunnel) {
            return Error{
                Fault::conflict,
                fmt::format("{} runs a connector of tunnel {}, but the policy says {}: "
                            "correct `units:`",
                            (*unit)->name(), (*unit)->running.token->tunnel, (*tunnel)->tunnel),
                {}};
        }
        auto group = std::ranges::find(tunnels, (*tunnel)->name, &TunnelToBringIn::name);
        if (group == tunnels.end()) {
            tunnels.push_back({(*tunnel)->name, {}, false});
            group = tunnels.end() - 1;
        }
        if (std::ranges::find(group->units, *unit) == group->units.end())
            group->units.push_back(*unit);
    }
    for (TunnelToBringIn& group : tunnels) {
        const auto& patterns = policy.find_named(group.name)->units;
        const auto all = std::ranges::count_if(survey.units, [&](const SurveyedUnit& unit) {
            return is_planned(patterns, unit.settings);
        });
        group.others = static_cast<std::size_t>(all) > group.units.size();
    }
    return tunnels;
}

Result<ExitCode> bring_in_all(Foreground& host, const AdoptCommand& command,
                              const std::vector<TunnelToBringIn>& tunnels) {
    std::vector<FileChange> changes;
    for (const TunnelToBringIn& tunnel : tunnels) {
        auto files = changes_of(tunnel);
        if (!files) return files.error();
        changes.insert(changes.end(), files->begin(), files->end());
    }
    show_changes(changes);
    if (command.manner.dry_run) return ExitCode::ok;
    if (!command.manner.yes && !confirmed("Write these files and restart the units one by one?")) {
        say("Nothing was changed. Without a terminal, use --yes.\n");
        return ExitCode::refused;
    }
    ExitCode worst = ExitCode::ok;
    for (const TunnelToBringIn& tunnel : tunnels) {
        const auto ended = bring_in(host, tunnel, command.manner);
        if (!ended) return ended.error();
        if (*ended != ExitCode::ok) worst = *ended;
    }
    return worst;
}

Result<ExitCode> run(const AdoptCommand& command) {
    Foreground host;
    if (auto connected = host.connect(); !connected) return connected.error();
    auto policy = HostPolicy::read();
    if (!policy) return policy.error();
    if (!policy->exists())
        return Error{Fault::missing, "there is no policy yet; run: keyturnctl setup", {}};
    auto survey = survey_host(host, command.manner.dry_run);
    if (!survey) return survey.error();
    const auto tunnels = grouped(command, *survey, *policy);
    if (!tunnels) return tunnels.error();
    if (!command.undo) return bring_in_all(host, command, *tunnels);
    return take_out(*policy, *tunnels, command);
}

Result<ExitCode> run(const SurgeCommand& command) {
    Foreground host;
    if (auto connected = host.connect(); !connected) return connected.error();
    auto policy = HostPolicy::read();
    if (!policy) return policy.error();
    const TunnelPolicy* tunnel = policy->find_named(command.tunnel);
    if (tunnel == nullptr) {
        return Error{
            Fault::missing, fmt::format("the policy has no tunnel {}", command.tunnel), {}};
    }
    const auto units = host.wait(host.units().expand(tunnel->units));
    if (!units) return units.error();
    for (const NamedUnit& named : *units) {
        const auto state = host.wait(host.units().state(named.id));
        if (!state && state.error().fault != Fault::missing) return state.error();
        if (!state || !state->loaded()) continue;
        const auto settings = host.wait(host.units().settings(named.id));
        if (!settings) return settings.error();
        const auto problem =
            token_source_problem(*settings, token_file_of(tunnel->name), look_at_files(*settings));
        if (problem)
            return Error{Fault::denied, fmt::format("{}: {}", settings->name, *problem), {}};
        const auto change = surge_unit_for(*settings, tunnel->name);
        if (!change) return change.error();
        show_changes({*change});
        if (command.manner.dry_run) return ExitCode::ok;
        const auto written = write_public(*change);
        if (!written) return written.error();
        if (auto reloaded = daemon_reload(); !reloaded) return reloaded.error();
        const auto attested = attest_unit(host, surge_unit_of(tunnel->name), tunnel->name);
        if (!attested) return attested.error();
        return ExitCode::ok;
    }
    return Error{Fault::missing, "systemd does not know any unit in `units:`", {}};
}

}  // namespace

ExitCode adopt(const AdoptCommand& command) {
    const auto result = run(command);
    return result ? *result : fail(result.error());
}

ExitCode write_surge_unit(const SurgeCommand& command) {
    const auto result = run(command);
    return result ? *result : fail(result.error());
}

}  // namespace keyturn
