#include "doctor/check_functions.hpp"
#include "doctor/remedy.hpp"
#include "model/installed_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace keyturn {

namespace {

constexpr const char* setup_command = "sudo keyturnctl setup";

bool has_own_drop_in(const UnitSeen& unit) {
    return std::ranges::any_of(unit.settings.files, is_own_drop_in);
}

std::string adopt_command(const UnitSeen& unit) {
    return "sudo keyturnctl adopt " + shell_word(unit.name());
}

/// What brings a unit onto keyturn's token file.
std::string bring_in_command(const UnitSeen& unit) {
    return unit.planned_for.empty() ? setup_command : adopt_command(unit);
}

/// Why the unit would start with another token than that in keyturn's file. Nothing for a unit
/// whose file systemd has not read: nobody knows.
std::optional<std::string> source_problem(const UnitSeen& unit) {
    return token_source_problem(unit.settings, token_file_of(unit.planned_for), unit.files);
}

/// True if a connector could start with this token now.
bool is_valid(const HostFacts& facts, const std::string& fingerprint) {
    const auto of_tunnel = [&](const TunnelSeen& tunnel) {
        if (!tunnel.fingerprint.empty()) return tunnel.fingerprint == fingerprint;
        return tunnel.file.fingerprint == fingerprint;
    };
    const auto of_unit = [&](const UnitSeen& unit) {
        return unit.planned_for.empty() && unit.running_fingerprint == fingerprint;
    };
    return std::ranges::any_of(facts.tunnels, of_tunnel) ||
           std::ranges::any_of(facts.units, of_unit);
}

Finding exposed_file(const UnitSeen& unit, const ExposedFile& file) {
    if (file.unit_file) {
        const bool rotate = has_own_drop_in(unit);
        return {about(unit),
                fmt::format("{} contains the valid token of {}, and systemd shows it to every user",
                            file.path, unit.name()),
                rotate ? fmt::format("sudo keyturnctl rotate {} --follow", unit.planned_for)
                       : bring_in_command(unit)};
    }
    return {about(unit),
            fmt::format("other users can read the valid token of {} in {}", unit.name(), file.path),
            fmt::format("sudo sh -c \"chown {0} {1} && chmod 600 {1}\"", file.owner_to_be,
                        shell_word(file.path))};
}

Findings exposed_files(const HostFacts& facts, bool unit_files) {
    Findings findings;
    std::vector<std::string> known;
    for (const UnitSeen& unit : facts.units) {
        for (const ExposedFile& file : unit.exposed) {
            if (file.unit_file != unit_files || !is_valid(facts, file.fingerprint)) continue;
            // Another check is for keyturn's own file.
            if (!unit.planned_for.empty() && file.path == token_file_of(unit.planned_for)) continue;
            if (std::ranges::find(known, file.path) != known.end()) continue;
            known.push_back(file.path);
            findings.push_back(exposed_file(unit, file));
        }
    }
    return findings;
}

/// `about` begins with the unit.
Finding out_of_date(std::vector<std::string> about, const std::string& problem) {
    const std::string unit = about.front();
    return {std::move(about),
            fmt::format("keyturnd refuses to rotate the token of {}, because what root has checked "
                        "of it is out of date: {}. The command has root look again",
                        unit, problem),
            "sudo keyturnctl doctor " + shell_word(unit)};
}

std::vector<std::string> about_token_file(const HostFacts& facts, const TunnelSeen& tunnel) {
    auto about = about_all_of(facts, tunnel);
    about.emplace_back("keyturnd.service");
    return about;
}

}  // namespace

Findings look_at_token_file(const HostFacts& facts) {
    Findings findings;
    for (const TunnelSeen& tunnel : facts.tunnels) {
        const std::string path = token_file_of(tunnel.name);
        if (!tunnel.file.exists) {
            findings.push_back({about_token_file(facts, tunnel),
                                fmt::format("{} does not exist, so the units of {} cannot start. "
                                            "keyturnd creates it when it starts",
                                            path, tunnel.name),
                                "sudo systemctl restart keyturnd"});
        } else if (!tunnel.file.problem.empty()) {
            findings.push_back(
                {about_token_file(facts, tunnel),
                 fmt::format("keyturnd refuses {}: {}", path, tunnel.file.problem),
                 fmt::format("sudo sh -c 'rm -f {} && systemctl restart keyturnd'", path)});
        } else if (!tunnel.file.tunnel.empty() && tunnel.file.tunnel != tunnel.tunnel) {
            findings.push_back(
                {about_token_file(facts, tunnel),
                 fmt::format("{} contains a token of tunnel {}, but the policy says {}", path,
                             tunnel.file.tunnel, tunnel.tunnel),
                 fmt::format("sudo sh -c 'rm -f {} && systemctl restart keyturnd'", path)});
        }
    }
    return findings;
}

Findings look_at_token_file_age(const HostFacts& facts) {
    Findings findings;
    for (const TunnelSeen& tunnel : facts.tunnels) {
        if (tunnel.fingerprint.empty() || tunnel.file.fingerprint.empty()) continue;
        if (tunnel.fingerprint == tunnel.file.fingerprint || is_rotating(tunnel)) continue;
        findings.push_back({about_token_file(facts, tunnel),
                            fmt::format("{} is not Cloudflare's token of {}: somebody else changed "
                                        "it, and units that restart are refused",
                                        token_file_of(tunnel.name), tunnel.name),
                            "sudo systemctl restart keyturnd"});
    }
    return findings;
}

Findings look_at_adoption(const HostFacts& facts) {
    Findings findings;
    for (const UnitSeen& unit : facts.units) {
        if (unit.planned_for.empty() || has_own_drop_in(unit)) continue;
        const auto problem = source_problem(unit);
        if (!problem) continue;
        findings.push_back({about(unit),
                            fmt::format("{} is in the policy, but it would not start with a new "
                                        "token: {}",
                                        unit.name(), *problem),
                            adopt_command(unit)});
    }
    return findings;
}

Findings look_at_drop_in_order(const HostFacts& facts) {
    Findings findings;
    for (const UnitSeen& unit : facts.units) {
        if (unit.planned_for.empty()) continue;
        const std::string behind = overriding_drop_ins(unit.settings.files);
        if (behind.empty()) continue;
        findings.push_back({about(unit),
                            fmt::format("the drop-in of keyturn is not the last one of {}, so "
                                        "another one overrides it: {}",
                                        unit.name(), behind),
                            adopt_command(unit)});
    }
    return findings;
}

Findings look_at_token_settings(const HostFacts& facts) {
    Findings findings;
    for (const UnitSeen& unit : facts.units) {
        if (unit.planned_for.empty() || !has_own_drop_in(unit)) continue;
        const auto problem = source_problem(unit);
        if (!problem) continue;
        findings.push_back(
            {about(unit),
             fmt::format("{} was brought in, but something gives it another token: {}", unit.name(),
                         *problem),
             adopt_command(unit)});
    }
    return findings;
}

Findings look_at_unit_tunnel(const HostFacts& facts) {
    Findings findings;
    for (const UnitSeen& unit : facts.units) {
        const TunnelSeen* tunnel = tunnel_of(facts, unit);
        if (tunnel == nullptr || unit.running_tunnel.empty()) continue;
        if (unit.running_tunnel == tunnel->tunnel) continue;
        findings.push_back({about(unit),
                            fmt::format("{} runs a connector of tunnel {}, but the policy says {}. "
                                        "Correct `units:` or `tunnel:`",
                                        unit.name(), unit.running_tunnel, tunnel->tunnel),
                            edit_policy_command(tunnel->policy_path)});
    }
    return findings;
}

Findings look_at_running_source(const HostFacts& facts) {
    Findings findings;
    for (const UnitSeen& unit : facts.units) {
        if (unit.planned_for.empty() || !unit.state.running() || source_problem(unit)) continue;
        const TokenOrigin origin = unit.running_origin;
        if (origin == TokenOrigin::credential || origin == TokenOrigin::not_cloudflared) continue;
        findings.push_back(
            {about(unit),
             fmt::format("{} still runs with the token from its old settings{}", unit.name(),
                         unit.running_path.empty() ? "" : ", " + unit.running_path),
             adopt_command(unit)});
    }
    return findings;
}

Findings look_at_running_token(const HostFacts& facts) {
    Findings findings;
    for (const UnitSeen& unit : facts.units) {
        const TunnelSeen* tunnel = tunnel_of(facts, unit);
        if (tunnel == nullptr || is_rotating(*tunnel)) continue;
        const std::string& wanted = tunnel->file.fingerprint;
        if (wanted.empty() || unit.running_fingerprint.empty()) continue;
        if (wanted == unit.running_fingerprint) continue;
        // Without keyturnd, nobody knows whether a rotation is open.
        auto what = about(unit);
        what.emplace_back("keyturnd.service");
        findings.push_back(
            {std::move(what),
             fmt::format("{} runs with an old token ({}, not {}): it cannot restore a "
                         "lost connection",
                         unit.name(), unit.running_fingerprint, wanted),
             fmt::format("sudo keyturnctl rotate {} --follow", tunnel->name)});
    }
    return findings;
}

Findings look_at_attestation(const HostFacts& facts) {
    Findings findings;
    for (const UnitSeen& unit : facts.units) {
        if (unit.planned_for.empty() || unit.attestation_problem.empty()) continue;
        findings.push_back(out_of_date(about(unit), unit.attestation_problem));
    }
    for (const TunnelSeen& tunnel : facts.tunnels) {
        if (tunnel.surge_attestation_problem.empty()) continue;
        auto what = about_all_of(facts, tunnel);
        what.insert(what.begin(), surge_unit_of(tunnel.name));
        findings.push_back(out_of_date(std::move(what), tunnel.surge_attestation_problem));
    }
    return findings;
}

Findings look_at_command_lines(const HostFacts& facts) {
    Findings findings;
    for (const UnitSeen& unit : facts.units) {
        if (unit.running_origin != TokenOrigin::argument) continue;
        findings.push_back(
            {about(unit),
             fmt::format("the command line of {} contains its token: `ps` shows it to "
                         "every user",
                         unit.name()),
             bring_in_command(unit)});
    }
    return findings;
}

Findings look_at_unit_texts(const HostFacts& facts) {
    return exposed_files(facts, true);
}

Findings look_at_exposed_files(const HostFacts& facts) {
    return exposed_files(facts, false);
}

Findings look_for_unplanned_units(const HostFacts& facts) {
    Findings findings;
    for (const UnitSeen& unit : facts.units) {
        if (!unit.planned_for.empty()) continue;
        const auto tunnel =
            std::ranges::find(facts.tunnels, unit.running_tunnel, &TunnelSeen::tunnel);
        if (unit.running_tunnel.empty() || tunnel == facts.tunnels.end()) continue;
        findings.push_back(
            {{unit.name(), tunnel->name},
             fmt::format("{} runs a connector of tunnel {}, but `units:` of the policy "
                         "does not include it, so a rotation would take its token away",
                         unit.name(), tunnel->name),
             setup_command});
    }
    return findings;
}

Findings look_for_unmanaged_units(const HostFacts& facts) {
    Findings findings;
    for (const UnitSeen& unit : facts.units) {
        if (!unit.planned_for.empty()) continue;
        findings.push_back(
            {about(unit),
             unit.obstacle.empty()
                 ? fmt::format("{} runs a connector, and no tunnel of the policy includes it",
                               unit.name())
                 : fmt::format("{} runs a connector that keyturn cannot bring in: {}", unit.name(),
                               unit.obstacle),
             unit.obstacle.empty() ? setup_command : "systemctl cat " + shell_word(unit.name())});
    }
    return findings;
}

Findings look_elsewhere(const HostFacts& facts) {
    Findings findings;
    for (const std::string& connector : facts.elsewhere) {
        std::vector<std::string> what{connector};
        // It may be left of a unit that systemd does not load any more.
        for (const TunnelSeen& tunnel : facts.tunnels)
            for (const auto* units : {&tunnel.lost_units, &tunnel.masked_units})
                for (const std::string& unit : *units)
                    if (connector.find('/' + unit) != std::string::npos) what.push_back(unit);
        findings.push_back(
            {std::move(what),
             fmt::format("a connector runs outside of the units of systemd: {}", connector),
             "systemd-cgls --all"});
    }
    return findings;
}

}  // namespace keyturn
