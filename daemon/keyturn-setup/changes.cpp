#include "changes.hpp"

#include "model/installed_names.hpp"
#include "setup/host_file.hpp"
#include "setup/surge_unit.hpp"
#include "setup/token_text.hpp"
#include "setup/unit_drop_in.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {

namespace {

/// The files in which a unit's token may lie, the most likely first.
std::vector<std::string> candidates_of(const SurveyedUnit& unit) {
    std::vector<std::string> paths;
    const auto add = [&](const std::string& path) {
        const bool is_path = path.starts_with('/') && !path.starts_with("/run/credentials/");
        if (is_path && std::ranges::find(paths, path) == paths.end()) paths.push_back(path);
    };
    add(unit.running.path);
    add(token_source_of(unit.settings, unit.files).path);
    for (const std::string& file : unit.settings.environment_files)
        add(file.substr(file.starts_with('-') ? 1 : 0));
    for (auto file = unit.settings.files.rbegin(); file != unit.settings.files.rend(); ++file)
        add(*file);
    add(unit.files.configuration.path);
    add(unit.files.configuration.credentials_file);
    for (const auto& [name, path] : unit.settings.load_credentials) add(path);
    add("/etc/cloudflared/token");
    return paths;
}

TokenBefore token_before_of(const SurveyedUnit& unit, const std::string& token_file) {
    TokenBefore before;
    before.fingerprint = fingerprint_of(*unit.running.token);
    for (const std::string& path : candidates_of(unit)) {
        if (path == token_file) continue;
        const auto file = read_host_file(path);
        if (!file || !*file) continue;
        if (find_token_with((*file)->text.reveal(), before.fingerprint, unit.running.token->tunnel))
            before.places.push_back(path);
    }
    return before;
}

/// A unit whose drop-in is written again keeps what the first one remembers.
Result<TokenBefore> remembered(const SurveyedUnit& unit, const std::string& token_file) {
    for (const std::string& path : unit.settings.files) {
        if (!is_own_drop_in(path)) continue;
        const auto file = read_host_file(path);
        if (!file) return file.error();
        if (!*file) continue;
        TokenBefore before = token_before((*file)->text.reveal());
        if (!before.fingerprint.empty()) return before;
    }
    return token_before_of(unit, token_file);
}

Result<FileChange> drop_in_of(const SurveyedUnit& unit, const std::string& tunnel) {
    const std::string token_file = token_file_of(tunnel);
    auto before = remembered(unit, token_file);
    if (!before) return before.error();
    // A token in config.yml overrides every file; its line is taken out of there.
    ConnectorFiles files = unit.files;
    files.configuration.token = false;
    const auto lines = token_drop_in(unit.settings, token_file, files);
    return FileChange{drop_in_path(unit.settings), drop_in_text(unit.name(), lines, *before)};
}

}  // namespace

bool takes_from_keyturn(const SurveyedUnit& unit, const std::string& tunnel) {
    return unit.running.origin == TokenOrigin::credential &&
           overriding_drop_ins(unit.settings.files).empty() &&
           !token_source_problem(unit.settings, token_file_of(tunnel), unit.files);
}

Result<FileChange> surge_unit_for(const UnitSettings& settings, const std::string& tunnel,
                                  const std::string& drop_in) {
    std::vector<std::string> texts;
    for (const std::string& path : settings.files) {
        const auto file = read_host_file(path);
        if (!file) return file.error();
        if (*file && !(is_own_drop_in(path) && !drop_in.empty()))
            texts.emplace_back((*file)->text.reveal());
    }
    if (!drop_in.empty()) texts.push_back(drop_in);
    auto text = surge_unit_text(settings, texts, tunnel, token_file_of(tunnel));
    if (!text) return text.error();
    return FileChange{"/etc/systemd/system/" + surge_unit_of(tunnel), std::move(*text)};
}

Result<std::vector<FileChange>> changes_of(const TunnelToBringIn& tunnel) {
    std::vector<FileChange> changes;
    for (const SurveyedUnit* unit : tunnel.units) {
        auto change = drop_in_of(*unit, tunnel.name);
        if (!change) return change.error();
        changes.push_back(std::move(*change));
    }
    if (!tunnel.is_alone()) return changes;
    // A copy of a unit that cannot run twice is no reason to leave the unit alone.
    auto surge = surge_unit_for(tunnel.units.front()->settings, tunnel.name, changes.front().text);
    if (surge) changes.push_back(std::move(*surge));
    return changes;
}

std::string next_steps(const std::vector<TunnelToBringIn>& tunnels) {
    std::string text;
    for (const TunnelToBringIn& tunnel : tunnels) {
        text += tunnel.other_hosts
                    ? fmt::format(
                          "{} also runs on other hosts, so keyturnd does not rotate it yet. Bring "
                          "it in on each,\nthen make a fleet of these hosts: man keyturn-fleet\n",
                          tunnel.name)
                    : fmt::format(
                          "keyturnd rotates {0} from now on. To see when: keyturnctl plan {0}\n"
                          "To rotate now, which makes the old token worthless:\n"
                          "    sudo keyturnctl rotate {0} --follow\n",
                          tunnel.name);
    }
    return text;
}

}  // namespace keyturn
