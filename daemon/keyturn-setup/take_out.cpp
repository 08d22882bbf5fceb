#include "take_out.hpp"

#include "cloudflared/attestation.hpp"
#include "keyturnctl/terminal.hpp"
#include "model/installed_names.hpp"
#include "prompt.hpp"
#include "setup/command.hpp"
#include "setup/config_line.hpp"
#include "setup/host_file.hpp"
#include "setup/token_text.hpp"
#include "setup/unit_drop_in.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <sys/stat.h>

namespace keyturn {

namespace {

/// A file that gets the current token.
struct TokenFile {
    std::string path;
    Secret text;
    FileOwner owner;
};

/// What happens to one unit.
struct UnitWayOut {
    const SurveyedUnit* unit = nullptr;
    std::string drop_in;             ///< Its path.
    Secret drop_in_before;           ///< Its text.
    std::string drop_in_after;       ///< Empty: it is removed.
    std::vector<TokenFile> files;    ///< Written first.
    std::vector<std::string> stale;  ///< Files that keep the old token.
    bool is_out = false;             ///< Its files are as they should be, maybe not its process.
};

bool others_can_read(const FileOwner& owner) {
    return (owner.mode & (S_IRWXG | S_IRWXO)) != 0;
}

Result<TunnelToken> current_token(const std::string& tunnel) {
    const std::string path = token_file_of(tunnel);
    const auto file = read_host_file(path);
    if (!file) return file.error();
    if (!*file) return Error{Fault::missing, path + " does not exist", {}};
    auto token = decode_token((*file)->text.reveal());
    if (!token) return with_context(path, token.error());
    return token;
}

/// The drop-in with which the unit was brought in; nothing if it has none.
Result<std::optional<HostFile>> own_drop_in(const SurveyedUnit& unit, std::string& path) {
    for (const std::string& file : unit.settings.files) {
        if (!is_own_drop_in(file)) continue;
        auto text = read_host_file(file);
        if (!text) return text.error();
        if (!*text || token_before((*text)->text.reveal()).fingerprint.empty()) continue;
        path = file;
        return text;
    }
    return std::optional<HostFile>{};
}

/// Plans the way out of one unit.
class WayOut {
  public:
    WayOut(const SurveyedUnit& unit, const std::string& tunnel, const TunnelToken& token,
           bool expose_token)
        : unit_(unit), tunnel_(tunnel), token_(token), expose_token_(expose_token) {}

    Result<UnitWayOut> plan() {
        way_.unit = &unit_;
        auto drop_in = own_drop_in(unit_, way_.drop_in);
        if (!drop_in) return drop_in.error();
        const bool is_in =
            !token_source_problem(unit_.settings, token_file_of(tunnel_), unit_.files);
        if (!*drop_in) return without_drop_in(is_in);
        const TokenBefore before = token_before((*drop_in)->text.reveal());
        way_.drop_in_before = std::move((*drop_in)->text);
        way_.is_out = before.kept_safe && !is_in;
        if (way_.is_out) return std::move(way_);
        if (before.kept_safe) {
            if (auto kept = keep_safe(); !kept) return kept.error();
            return std::move(way_);
        }
        bool first = true;
        bool starts_as_before = false;
        for (const std::string& path : before.places) {
            const auto current = put_into(path, before.fingerprint);
            if (!current) return current.error();
            // The first place is the one that the unit reads.
            if (first) starts_as_before = *current;
            first = false;
        }
        if (starts_as_before) return std::move(way_);
        if (auto kept = keep_safe(); !kept) return kept.error();
        return std::move(way_);
    }

  private:
    /// A run that was interrupted has removed it, or there was none.
    Result<UnitWayOut> without_drop_in(bool is_in) {
        if (is_in) {
            return Error{Fault::missing,
                         fmt::format("{} was not brought in by `keyturnctl adopt`", unit_.name()),
                         {}};
        }
        way_.drop_in = drop_in_path(unit_.settings);
        way_.is_out = true;
        return std::move(way_);
    }

    /// True if the place has the current token afterwards.
    Result<bool> put_into(const std::string& path, const Fingerprint& old_fingerprint) {
        auto file = read_host_file(path);
        if (!file) return file.error();
        if (!*file) return false;
        const std::string_view text = (*file)->text.reveal();
        Secret changed = with_token_line(text, token_);
        const bool taken_out = !same_secret(changed, (*file)->text);
        const auto found = find_token_with(text, old_fingerprint, token_.tunnel);
        if (!taken_out && !found) return find_token_with(text, fingerprint_of(token_)).has_value();
        const bool same = old_fingerprint == fingerprint_of(token_);
        if (!taken_out && same) return true;
        if (others_can_read((*file)->owner) && !expose_token_) {
            way_.stale.push_back(path);
            return false;
        }
        if (!taken_out) changed = with_token(text, *found, token_);
        way_.files.push_back({path, std::move(changed), (*file)->owner});
        return true;
    }

    /// Puts the token where only root can read it.
    Result<void> keep_safe() {
        std::string path = "/etc/cloudflared/token";
        const auto there = read_host_file(path);
        if (!there) return there.error();
        if (*there) {
            const auto token = find_token((*there)->text.reveal());
            if (!token || token->token.tunnel != token_.tunnel)
                path = fmt::format("/etc/cloudflared/{}.token", tunnel_);
        }
        constexpr mode_t only_root = S_IRUSR | S_IWUSR;
        way_.files.push_back({path, encode_token(token_), FileOwner{only_root, 0, 0}});
        way_.drop_in_after =
            drop_in_text(unit_.name(), token_drop_in(unit_.settings, path, unit_.files),
                         TokenBefore{fingerprint_of(token_), {path}, true});
        return {};
    }

    const SurveyedUnit& unit_;
    const std::string& tunnel_;
    const TunnelToken& token_;
    bool expose_token_;
    UnitWayOut way_;
};

void show(const std::vector<UnitWayOut>& ways) {
    for (const UnitWayOut& way : ways) {
        for (const TokenFile& file : way.files)
            say("Write the current token into {} (mode {:04o})\n", file.path, file.owner.mode);
        if (way.is_out) {
            say("The files of {} are as they should be\n", way.unit->name());
        } else if (way.drop_in_after.empty()) {
            say("Remove {}\n", way.drop_in);
        } else {
            fmt::print("{}", diff_of(way.drop_in_before.reveal(), way.drop_in_after));
        }
        for (const std::string& path : way.stale) {
            say("Leave the old, worthless token in {}: other users can read that file "
                "(--expose-token overrides this)\n",
                path);
        }
        say("Restart {}\n", way.unit->name());
    }
}

/// Two units may have the same file. It is not written again: an interruption would leave a
/// temporary file that no other run has a reason to replace.
Result<void> write_token_file(const TokenFile& file) {
    const auto there = read_host_file(file.path);
    if (!there) return there.error();
    if (*there && same_secret((*there)->text, file.text) && (*there)->owner == file.owner)
        return {};
    return write_host_file(file.path, file.text.reveal(), file.owner);
}

Result<void> write(const std::vector<UnitWayOut>& ways) {
    for (const UnitWayOut& way : ways) {
        for (const TokenFile& file : way.files) {
            if (auto written = write_token_file(file); !written) return written;
        }
    }
    for (const UnitWayOut& way : ways) {
        // Of one that is gone, the directory may be left.
        if (way.is_out && !way.drop_in_before.empty()) continue;
        auto done = way.drop_in_after.empty()
                        ? remove_host_file(way.drop_in)
                        : write_host_file(way.drop_in, way.drop_in_after, FileOwner{});
        if (!done) return done;
    }
    return daemon_reload();
}

Result<void> put_back(const std::vector<UnitWayOut>& ways) {
    for (const UnitWayOut& way : ways) {
        if (way.is_out) continue;
        auto done = write_host_file(way.drop_in, way.drop_in_before.reveal(), FileOwner{});
        if (!done) return done;
    }
    return daemon_reload();
}

Result<void> perform(const HostPolicy::Removal& removal) {
    for (const std::string& path : removal.removed) {
        if (auto removed = remove_host_file(path); !removed) return removed;
        say("Removed {}\n", path);
    }
    for (const FileChange& change : removal.changed) {
        const auto written = write_public(change);
        if (!written) return written.error();
        if (*written) say("Wrote {}\n", change.path);
    }
    if (!removal.by_hand.empty()) say("{}\n", removal.by_hand);
    return {};
}

/// Removes what the host has of tunnels that are not in the policy any more, and lets keyturnd
/// follow the policy; without a tunnel it is stopped. Does nothing the second time.
Result<void> follow_policy(const HostPolicy& policy) {
    const auto unused = policy.unused();
    if (!unused) return unused.error();
    if (auto done = perform(*unused); !done) return done;
    if (auto reloaded = daemon_reload(); !reloaded) return reloaded;
    const bool tunnels_left = !policy.policy().tunnels.empty();
    const std::vector<std::string> command =
        tunnels_left
            ? std::vector<std::string>{"systemctl", "try-reload-or-restart", "keyturnd.service"}
            : std::vector<std::string>{"systemctl", "--quiet", "disable", "--now",
                                       "keyturnd.service"};
    const auto done = run_or_fail(command);
    if (!done) return done.error();
    if (!tunnels_left) {
        say("keyturnd is stopped and disabled, because it has no tunnel any more. Its policy "
            "and the API token stay in /etc/keyturn.\n");
    }
    return {};
}

Result<void> leave_policy(HostPolicy& policy, const TunnelToBringIn& tunnel) {
    std::vector<std::string> names;
    for (const SurveyedUnit* unit : tunnel.units) names.push_back(unit->name());
    const auto rest = policy.remove(tunnel.name, names);
    if (!rest) return rest.error();
    // First: when the policy no longer names a unit, no other run looks for its attestation.
    for (const std::string& name : names) {
        if (auto removed = remove_host_file(attestation_path(name)); !removed) return removed;
    }
    if (auto done = perform(*rest); !done) return done;
    return follow_policy(policy);
}

}  // namespace

Result<ExitCode> take_out(HostPolicy& policy, const std::vector<TunnelToBringIn>& tunnels,
                          const AdoptCommand& command) {
    for (const TunnelToBringIn& tunnel : tunnels) {
        const auto token = current_token(tunnel.name);
        if (!token) return token.error();
        std::vector<UnitWayOut> ways;
        for (const SurveyedUnit* unit : tunnel.units) {
            auto way = WayOut(*unit, tunnel.name, *token, command.expose_token).plan();
            if (!way) return way.error();
            ways.push_back(std::move(*way));
        }
        show(ways);
        if (command.manner.dry_run) continue;
        if (!command.manner.yes && !confirmed("Make these changes?")) {
            say("Nothing was changed. Without a terminal, use --yes.\n");
            return ExitCode::refused;
        }
        auto proven = write(ways) ? prove(RotationKind::release, tunnel, command.manner)
                                  : Result<ExitCode>(ExitCode::error);
        if (!proven || *proven != ExitCode::ok) {
            if (!proven) say("keyturnctl: {}\n", proven.error().text);
            if (proven && *proven == ExitCode::interrupted) return *proven;
            say("Putting the drop-ins of {} back\n", tunnel.name);
            if (auto back = put_back(ways); !back) return back.error();
            if (proven && *proven == ExitCode::held) {
                const auto back = take_back(tunnel.name);
                if (!back) return back.error();
            }
            return proven ? *proven : Result<ExitCode>(proven.error());
        }
        if (auto left = leave_policy(policy, tunnel); !left) return left.error();
    }
    // None: all had left the policy before.
    if (tunnels.empty() && !command.manner.dry_run) {
        if (auto followed = follow_policy(policy); !followed) return followed.error();
    }
    return ExitCode::ok;
}

}  // namespace keyturn
