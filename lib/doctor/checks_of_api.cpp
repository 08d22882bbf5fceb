#include "cloudflare/api_token_check.hpp"
#include "doctor/check_functions.hpp"
#include "doctor/remedy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace keyturn {

namespace {

/// At most this many connectors of a tunnel can be connected (Cloudflare's documentation of tunnel
/// configuration: 25 replicas).
constexpr std::size_t connectors_max = 25;

constexpr const char* new_token_command = "sudo keyturnctl setup --api-token-file -";

/// Setup asks for another API token only if the stored one is gone.
std::string forget_command(const CredentialSeen& credential) {
    return fmt::format(
        "sudo sh -c 'rm -f {} /etc/systemd/system/keyturnd.service.d/50-credential.conf && "
        "systemctl daemon-reload && keyturnctl setup'",
        credential.path);
}

/// About each tunnel that uses the credential; for a call that fails for it, too.
std::vector<std::string> about(const CredentialSeen& credential) {
    return {"credential " + credential.name};
}

std::vector<std::string> about(const TunnelSeen& tunnel) {
    return {tunnel.name, "credential " + tunnel.credential};
}

Findings verdicts(const HostFacts& facts, ApiTokenVerdict verdict, std::string_view text) {
    Findings findings;
    for (const CredentialSeen& credential : facts.credentials) {
        if (!credential.check || credential.check->verdict != verdict) continue;
        findings.push_back({about(credential),
                            fmt::format("{} ({})", fmt::format(fmt::runtime(text), credential.name),
                                        credential.check->seen),
                            new_token_command});
    }
    return findings;
}

std::string description_of(const Connector& connector) {
    std::string text = connector.id;
    if (!connector.origin_ip.empty()) text += " from " + connector.origin_ip;
    if (!connector.run_at.empty()) text += " since " + connector.run_at;
    return text;
}

/// The connectors at Cloudflare that no unit of this host runs. Nothing if a unit does not say
/// which connector it runs, and so may run any of them.
std::vector<std::string> unknown_connectors(const HostFacts& facts, const TunnelSeen& tunnel) {
    std::vector<std::string> unknown;
    std::vector<std::string> ours;
    std::size_t silent = tunnel.masked_units.size() + tunnel.lost_units.size();
    for (const UnitSeen& unit : facts.units) {
        if (unit.running_tunnel != tunnel.tunnel && unit.planned_for != tunnel.name) continue;
        if (unit.connector.empty())
            ++silent;
        else
            ours.push_back(unit.connector);
    }
    for (const Connector& connector : *tunnel.connectors)
        if (std::ranges::find(ours, connector.id) == ours.end())
            unknown.push_back(description_of(connector));
    // A unit that was restarted a moment ago has two of them.
    if (unknown.size() <= silent) unknown.clear();
    return unknown;
}

}  // namespace

Findings look_for_api_token(const HostFacts& facts) {
    Findings findings;
    for (const CredentialSeen& credential : facts.credentials) {
        if (credential.exists) continue;
        findings.push_back({about(credential),
                            fmt::format("the API token {} is missing: {} does not exist",
                                        credential.name, credential.path),
                            "sudo keyturnctl setup"});
    }
    return findings;
}

Findings look_at_host_key(const HostFacts& facts) {
    Findings findings;
    for (const CredentialSeen& credential : facts.credentials) {
        if (!credential.exists || !credential.encrypted || credential.host_key) continue;
        findings.push_back(
            {about(credential),
             fmt::format("{} is encrypted with the key of a host, and this host has none "
                         "(/var/lib/systemd/credential.secret): after a restore or on a clone, the "
                         "API token cannot be decrypted, and keyturnd does not start (status 243)",
                         credential.path),
             forget_command(credential)});
    }
    return findings;
}

Findings look_at_api_token_text(const HostFacts& facts) {
    Findings findings;
    for (const CredentialSeen& credential : facts.credentials) {
        if (credential.unreadable.empty()) continue;
        findings.push_back({about(credential),
                            fmt::format("the API token {} cannot be used: {}", credential.name,
                                        credential.unreadable),
                            forget_command(credential)});
    }
    return findings;
}

Findings look_at_api_token_mode(const HostFacts& facts) {
    Findings findings;
    for (const CredentialSeen& credential : facts.credentials) {
        if (credential.open.empty()) continue;
        findings.push_back(
            {about(credential),
             fmt::format("{}. The API token in it can change every tunnel", credential.open),
             fmt::format("sudo sh -c 'chown {0}:{0} {1} && chmod 600 {1}'", credential.owner,
                         credential.path)});
    }
    return findings;
}

Findings look_at_api_answer(const HostFacts& facts) {
    Findings findings;
    for (const CredentialSeen& credential : facts.credentials) {
        const bool unclear =
            credential.check && credential.check->verdict == ApiTokenVerdict::unclear;
        if (credential.no_answer.empty() && !unclear) continue;
        auto what = about(credential);
        for (const NameSeen& name : facts.network.api_names) what.push_back(name.host);
        findings.push_back({std::move(what),
                            fmt::format("Cloudflare's API gives no usable answer: {}",
                                        unclear ? credential.check->seen : credential.no_answer),
                            "curl --silent --show-error --max-time 20 "
                            "https://www.cloudflarestatus.com/api/v2/status.json"});
    }
    return findings;
}

Findings look_at_address_filter(const HostFacts& facts) {
    return verdicts(facts, ApiTokenVerdict::address_refused,
                    "the API token {} may not be used from the address of this host: allow the "
                    "address at Cloudflare, or paste an API token that allows it");
}

Findings look_at_api_token_validity(const HostFacts& facts) {
    Findings findings = verdicts(facts, ApiTokenVerdict::unknown,
                                 "Cloudflare does not know the API token {}: it was deleted or "
                                 "rolled. Create another one and paste it");
    for (const auto& [verdict, text] :
         {std::pair{ApiTokenVerdict::malformed,
                    "what is stored as the API token {} is none. Paste the right one"},
          std::pair{ApiTokenVerdict::inactive,
                    "the API token {} has expired or is disabled. Create another one and paste "
                    "it"}}) {
        for (Finding& finding : verdicts(facts, verdict, text))
            findings.push_back(std::move(finding));
    }
    return findings;
}

Findings look_at_api_token_expiry(const HostFacts& facts) {
    Findings findings;
    for (const CredentialSeen& credential : facts.credentials) {
        if (!credential.check || credential.check->verdict != ApiTokenVerdict::active) continue;
        if (!expires_soon(*credential.check, facts.now)) continue;
        findings.push_back({about(credential),
                            fmt::format("the API token {} expires at {}. Create another one and "
                                        "paste it",
                                        credential.name, to_text(*credential.check->expires)),
                            new_token_command});
    }
    return findings;
}

Findings look_for_tunnel(const HostFacts& facts) {
    Findings findings;
    for (const TunnelSeen& tunnel : facts.tunnels) {
        const bool missing =
            tunnel.read.fault == Fault::missing || tunnel.read.fault == Fault::invalid;
        if (!missing) continue;
        findings.push_back({about(tunnel),
                            fmt::format("Cloudflare does not know tunnel {} of the policy: {}",
                                        tunnel.name, tunnel.read.text),
                            edit_policy_command(tunnel.policy_path)});
    }
    return findings;
}

Findings look_at_deletion(const HostFacts& facts) {
    Findings findings;
    for (const TunnelSeen& tunnel : facts.tunnels) {
        if (!tunnel.deleted) continue;
        findings.push_back({about(tunnel),
                            fmt::format("tunnel {} ({}) was deleted at Cloudflare. Take its units "
                                        "out, or correct `tunnel:`",
                                        tunnel.name, tunnel.tunnel),
                            edit_policy_command(tunnel.policy_path)});
    }
    return findings;
}

Findings look_at_permission(const HostFacts& facts) {
    Findings findings;
    for (const TunnelSeen& tunnel : facts.tunnels) {
        const bool reads = tunnel.read.fault == Fault::denied;
        if (!reads && tunnel.write.fault != Fault::denied) continue;
        findings.push_back({about(tunnel),
                            fmt::format("the API token {} may not {} tunnel {}: {}",
                                        tunnel.credential, reads ? "read" : "change", tunnel.name,
                                        reads ? tunnel.read.text : tunnel.write.text),
                            new_token_command});
    }
    return findings;
}

Findings look_at_connectors(const HostFacts& facts) {
    Findings findings;
    for (const TunnelSeen& tunnel : facts.tunnels) {
        if (!tunnel.connectors || tunnel.fleet || is_rotating(tunnel)) continue;
        const auto unknown = unknown_connectors(facts, tunnel);
        if (unknown.empty()) continue;
        findings.push_back(
            {about(tunnel),
             fmt::format("tunnel {} has connectors that no unit of this host runs: {}. If they are "
                         "yours on another host, stop them there, or make a fleet of these hosts "
                         "(keyturn-fleet(7)). If not, somebody else has the token, and the command "
                         "locks them out",
                         tunnel.name, fmt::join(unknown, ", ")),
             fmt::format("sudo keyturnctl rotate {} --compromised --follow", tunnel.name)});
    }
    return findings;
}

Findings look_at_slots(const HostFacts& facts) {
    Findings findings;
    for (const TunnelSeen& tunnel : facts.tunnels) {
        if (!tunnel.connectors || tunnel.connectors->size() < connectors_max) continue;
        findings.push_back({about(tunnel),
                            fmt::format("tunnel {} has {} connectors of {} at most, so an extra "
                                        "connector cannot serve during a restart",
                                        tunnel.name, tunnel.connectors->size(), connectors_max),
                            "keyturnctl status " + tunnel.name});
    }
    return findings;
}

}  // namespace keyturn
