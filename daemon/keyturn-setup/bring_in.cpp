#include "bring_in.hpp"

#include "attested.hpp"
#include "keyturnctl/login_path.hpp"
#include "keyturnctl/terminal.hpp"
#include "model/installed_names.hpp"
#include "setup/command.hpp"
#include "setup/config_line.hpp"
#include "setup/host_file.hpp"
#include "setup/unit_drop_in.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace keyturn {

namespace {

/// Where a token would override keyturn's file: the configurations of these units.
std::vector<std::string> configurations_to_change(const TunnelToBringIn& tunnel) {
    std::vector<std::string> paths;
    for (const SurveyedUnit* unit : tunnel.units) {
        const ConfigurationFile& file = unit->files.configuration;
        if (file.token && std::ranges::find(paths, file.path) == paths.end())
            paths.push_back(file.path);
    }
    return paths;
}

Result<void> change_configuration(const std::string& path, Secret (*change)(std::string_view)) {
    auto file = read_host_file(path);
    if (!file) return file.error();
    if (!*file) return {};
    const Secret text = change((*file)->text.reveal());
    if (same_secret(text, (*file)->text)) return {};
    return write_host_file(path, text.reveal(), (*file)->owner);
}

/// Restores the units' files, and lets those that do not run start with them.
class Undo {
  public:
    Undo(const TunnelToBringIn& tunnel, std::vector<FileChange> changes)
        : tunnel_(tunnel), changes_(std::move(changes)) {
        for (const FileChange& change : changes_) {
            const auto file = read_host_file(change.path);
            before_.emplace_back(file && *file ? (*file)->text.clone() : Secret(), file && *file);
        }
    }

    [[nodiscard]] Result<void> perform(bool restarted) {
        for (const std::string& path : configurations_to_change(tunnel_)) {
            const TunnelToken& token = *tunnel_.units.front()->running.token;
            auto file = read_host_file(path);
            if (!file) return file.error();
            if (!*file) continue;
            const Secret text = with_token_line((*file)->text.reveal(), token);
            if (auto written = write_host_file(path, text.reveal(), (*file)->owner); !written)
                return written;
        }
        for (std::size_t i = 0; i < changes_.size(); ++i) {
            const auto& [text, existed] = before_[i];
            auto restored = existed ? write_host_file(changes_[i].path, text.reveal(), FileOwner{})
                                    : remove_host_file(changes_[i].path);
            if (!restored) return restored;
        }
        if (auto reloaded = daemon_reload(); !reloaded || !restarted) return reloaded;
        return restart_what_does_not_run();
    }

  private:
    /// keyturnd restarts those that serve, one by one, when it reverts.
    [[nodiscard]] Result<void> restart_what_does_not_run() const {
        for (const SurveyedUnit* unit : tunnel_.units) {
            const auto state = run_command({"systemctl", "is-active", "--quiet", unit->name()});
            if (!state) return state.error();
            if (state->exit_code == 0) continue;
            say("Starting {} with its old configuration\n", unit->name());
            const auto started = run_or_fail({"systemctl", "restart", "--no-block", unit->name()});
            if (!started) return started.error();
        }
        return {};
    }

    const TunnelToBringIn& tunnel_;
    std::vector<FileChange> changes_;
    std::vector<std::pair<Secret, bool>> before_;
};

/// Does not cut an operator off who has logged in through the tunnel.
Result<void> mind_the_login(const TunnelToBringIn& tunnel, const Manner& manner,
                            bool others_serve) {
    std::vector<std::string> units;
    for (const SurveyedUnit* unit : tunnel.units) units.push_back(unit->name());
    const std::string unit = unit_of_login(manner.session, units);
    if (unit.empty()) return {};
    return permit_cut(unit, tunnel.name, others_serve, manner.detach);
}

/// keyturnd may not read every file that could override its token file.
Result<void> attest_all(Foreground& host, const TunnelToBringIn& tunnel, bool surge) {
    std::vector<std::string> names;
    for (const SurveyedUnit* unit : tunnel.units) names.push_back(unit->name());
    if (surge) names.push_back(surge_unit_of(tunnel.name));
    for (const std::string& name : names)
        if (const auto done = attest_unit(host, name, tunnel.name); !done) return done.error();
    return {};
}

/// The drop-ins that the new ones replace, because they no longer come last.
Result<void> remove_earlier_drop_ins(const TunnelToBringIn& tunnel) {
    bool removed = false;
    for (const SurveyedUnit* unit : tunnel.units) {
        for (const std::string& path : unit->settings.files) {
            const bool earlier = is_own_drop_in(path) && path != drop_in_path(unit->settings) &&
                                 path.starts_with("/etc/systemd/system/" + unit->name() + ".d/");
            if (!earlier) continue;
            if (auto done = remove_host_file(path); !done) return done;
            removed = true;
        }
    }
    return removed ? daemon_reload() : Result<void>();
}

void tell_superseded(const std::vector<FileChange>& changes) {
    std::vector<std::string> places;
    for (const FileChange& change : changes) {
        for (const std::string& place : token_before(change.text).places)
            if (std::ranges::find(places, place) == places.end()) places.push_back(place);
    }
    if (places.empty()) return;
    say("The token still lies in {}. The first rotation makes it worthless.\n",
        fmt::join(places, ", "));
}

void tell_still_needed(const TunnelToBringIn& tunnel) {
    for (const SurveyedUnit* unit : tunnel.units) {
        const auto needed = still_needed(unit->settings, token_file_of(tunnel.name), unit->files);
        if (!needed.empty())
            say("Do not delete what {} still needs: {}\n", unit->name(), fmt::join(needed, ", "));
    }
}

}  // namespace

Result<void> daemon_reload() {
    const auto done = run_or_fail({"systemctl", "daemon-reload"});
    if (!done) return done.error();
    return {};
}

Unfinished find_unfinished(Foreground& host, const TunnelToBringIn& tunnel) {
    Unfinished rest;
    for (const SurveyedUnit* unit : tunnel.units)
        if (!is_attested(unit->settings)) rest.unattested.push_back(unit->name());
    if (!tunnel.is_alone()) return rest;
    auto surge = surge_unit_for(tunnel.units.front()->settings, tunnel.name);
    if (!surge) return rest;  // It cannot run twice.
    const auto there = read_host_file(surge->path);
    if (there && !*there) rest.surge = std::move(*surge);
    const auto settings = host.wait(host.units().settings(surge_unit_of(tunnel.name)));
    if (rest.surge || !settings || !is_attested(*settings))
        rest.unattested.push_back(surge_unit_of(tunnel.name));
    return rest;
}

Result<void> finish(Foreground& host, const TunnelToBringIn& tunnel, const Unfinished& rest) {
    if (rest.surge) {
        const auto written = write_public(*rest.surge);
        if (!written) return written.error();
        say("Wrote {}\n", rest.surge->path);
        if (auto reloaded = daemon_reload(); !reloaded) return reloaded;
    }
    for (const std::string& unit : rest.unattested)
        if (const auto done = attest_unit(host, unit, tunnel.name); !done) return done.error();
    return {};
}

Result<ExitCode> bring_in(Foreground& host, const TunnelToBringIn& tunnel, const Manner& manner) {
    if (std::ranges::all_of(tunnel.units, [&](const SurveyedUnit* unit) {
            return takes_from_keyturn(*unit, tunnel.name);
        })) {
        const Unfinished rest = find_unfinished(host, tunnel);
        if (auto done = finish(host, tunnel, rest); !done) return done.error();
        say("{}: nothing overrides keyturn's token file, and keyturnd knows it now\n", tunnel.name);
        return ExitCode::ok;
    }
    const auto changes = changes_of(tunnel);
    if (!changes) return changes.error();
    // The drop-in needs the token file: without it, the unit would not start.
    if (auto ready = wait_for_keyturnd(tunnel.name); !ready) return ready.error();
    Undo undo(tunnel, *changes);
    const auto give_up = [&](const Error& error) -> Result<ExitCode> {
        const auto undone = undo.perform(false);
        return undone ? error : with_context(error.text + "; restoring the files", undone.error());
    };
    for (const FileChange& change : *changes) {
        const auto written = write_public(change);
        if (!written) return give_up(written.error());
    }
    if (auto reloaded = daemon_reload(); !reloaded) return give_up(reloaded.error());
    // Only now: before, the units would have had no token at all.
    for (const std::string& path : configurations_to_change(tunnel)) {
        if (auto changed = change_configuration(path, without_token_line); !changed)
            return give_up(changed.error());
    }
    if (auto attested = attest_all(host, tunnel, changes->size() > tunnel.units.size()); !attested)
        return give_up(attested.error());
    const bool others_serve = !tunnel.is_alone() || changes->size() > tunnel.units.size();
    if (auto minded = mind_the_login(tunnel, manner, others_serve); !minded)
        return give_up(minded.error());
    const auto proven = prove(RotationKind::adopt, tunnel, manner);
    if (proven && *proven == ExitCode::ok) {
        if (auto removed = remove_earlier_drop_ins(tunnel); !removed) return removed.error();
        tell_superseded(*changes);
        tell_still_needed(tunnel);
        return ExitCode::ok;
    }
    if (!proven) say("keyturnctl: {}\n", proven.error().text);
    // keyturnd goes on by itself if only the display has ended.
    if (proven && *proven == ExitCode::interrupted) return *proven;
    say("Restoring the files of {}\n", tunnel.name);
    const bool held = proven && *proven == ExitCode::held;
    if (auto undone = undo.perform(held); !undone) return undone.error();
    if (held) {
        const auto back = take_back(tunnel.name);
        if (!back) return back.error();
        return *back == ExitCode::ok ? ExitCode::reverted : *back;
    }
    return proven ? *proven : ExitCode::error;
}

}  // namespace keyturn
