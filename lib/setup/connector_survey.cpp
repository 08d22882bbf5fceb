#include "setup/connector_survey.hpp"

#include "cloudflared/configuration_file.hpp"
#include "model/installed_names.hpp"
#include "setup/host_file.hpp"
#include "setup/token_text.hpp"
#include "units/unit_manager.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>

namespace keyturn {

namespace {

/// The connector may be a child of the program that the unit starts.
ProcessToken running_token(const UnitState& state) {
    if (state.main_pid == 0) return {};
    const auto main_pid = static_cast<pid_t>(state.main_pid);
    if (auto found = token_of_process(main_pid)) return std::move(*found);
    for (const pid_t process : processes_beside(main_pid)) {
        if (auto found = token_of_process(process)) return std::move(*found);
    }
    return {};
}

/// "/system.slice/web.service/": an engine may have put its container below the group of its unit.
/// Empty if the unit has no process.
std::string groups_below(const UnitState& unit) {
    const std::string group = control_group_of(static_cast<pid_t>(unit.main_pid)) + '/';
    const std::string end = '/' + unit.name + '/';
    const std::size_t place = group.find(end);
    return place == std::string::npos ? std::string() : group.substr(0, place + end.size());
}

}  // namespace

std::optional<TunnelToken> token_of_next_start(const UnitSettings& settings,
                                               const ConnectorFiles& files) {
    if (std::ranges::none_of(settings.files, is_own_drop_in)) return std::nullopt;
    const TokenSource source = token_source_of(settings, files);
    if (source.origin != TokenOrigin::credential || source.path.empty()) return std::nullopt;
    if (token_source_problem(settings, source.path, files)) return std::nullopt;
    const auto file = read_host_file(source.path);
    if (!file || !*file) return std::nullopt;
    auto found = find_token((*file)->text.reveal());
    if (!found) return std::nullopt;
    return std::move(found->token);
}

std::string obstacle_of(const SurveyedUnit& unit) {
    const UnitSettings& settings = unit.settings;
    if (settings.need_daemon_reload) {
        return "its unit file changed on disk and systemd has not read it; check it, run "
               "`systemctl "
               "daemon-reload` and try again";
    }
    if (!settings.dragged_along.empty()) {
        return fmt::format(
            "a restart would also restart or stop {}; loosen that dependency (Requires=, BindsTo= "
            "or PartOf=) first",
            fmt::join(settings.dragged_along, ", "));
    }
    if (const auto problem = adoption_obstacle(settings, unit.files)) return *problem;
    if (!unit.state.running()) {
        return fmt::format(
            "it does not run, so nothing shows its tunnel; start it (systemctl start "
            "{}) and try again",
            settings.name);
    }
    if (!unit.running.token) {
        return fmt::format("the token of its process cannot be read{}",
                           unit.running.path.empty() ? "" : " from " + unit.running.path);
    }
    return {};
}

std::string place_of_control_group(const std::string& control_group) {
    const std::string_view path = control_group;
    const auto part_after = [&](std::string_view mark) -> std::string_view {
        const std::size_t begin = path.find(mark);
        if (begin == std::string_view::npos) return {};
        const std::string_view rest = path.substr(begin + mark.size());
        return rest.substr(0, rest.find_first_of(".@/"));
    };
    const std::string_view name = path.substr(path.rfind('/') + 1);
    if (const auto user = part_after("/user@"); !user.empty()) {
        return fmt::format(
            "{} runs under `systemd --user` of user {}, which keyturnd cannot reach: make it a "
            "system unit with User=",
            name, user);
    }
    for (const std::string_view engine : {"docker-", "libpod-", "crio-", "cri-containerd-"}) {
        if (name.starts_with(engine))
            return fmt::format(
                "a container ({}): if none of these units starts it, start it from a unit or a "
                "quadlet, because keyturnd restarts units only",
                name);
    }
    return fmt::format("a process in {} that is no service of systemd: start it from a unit",
                       control_group);
}

Task<Result<Survey>> survey_connectors(UnitManager& units) {
    std::vector<std::string> patterns;
    patterns.emplace_back("*.service");
    const auto found = co_await units.expand(std::move(patterns));
    if (!found) co_return found.error();
    Survey survey;
    std::vector<std::string> control_groups;
    for (const NamedUnit& named : *found) {
        auto state = co_await units.state(named.id);
        if (!state) continue;  // It went away.
        if (state->main_pid != 0)
            control_groups.push_back(control_group_of(static_cast<pid_t>(state->main_pid)));
        if (is_surge_unit(named.id) || !state->loaded()) continue;
        auto settings = co_await units.settings(named.id);
        if (!settings) continue;
        SurveyedUnit unit;
        unit.settings = std::move(*settings);
        unit.state = std::move(*state);
        unit.running = running_token(unit.state);
        const bool connector = unit.running.origin != TokenOrigin::not_cloudflared;
        if (!connector && !names_a_connector(unit.settings)) continue;
        control_groups.push_back(groups_below(unit.state));
        unit.files = look_at_files(unit.settings);
        if (connector && !unit.running.token)
            unit.running.token = token_of_next_start(unit.settings, unit.files);
        unit.obstacle = obstacle_of(unit);
        survey.units.push_back(std::move(unit));
    }
    for (const std::string& group : connectors_elsewhere(control_groups))
        survey.elsewhere.push_back(place_of_control_group(group));
    co_return survey;
}

}  // namespace keyturn
