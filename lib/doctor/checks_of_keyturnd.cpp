#include "doctor/check_functions.hpp"
#include "doctor/remedy.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace keyturn {

namespace {

constexpr const char* own_unit = "keyturnd.service";

/// keyturnd does not start without a credential that it can read.
std::vector<std::string> about_keyturnd(const HostFacts& facts) {
    std::vector<std::string> about{own_unit};
    for (const CredentialSeen& credential : facts.credentials)
        about.push_back("credential " + credential.name);
    return about;
}

/// The file of the policy that a text blames first ("/etc/keyturn/keyturn.yaml:3:1: ..."); empty if
/// it blames none.
std::string file_in(const std::string& problem) {
    const std::size_t begin = problem.find("/etc/keyturn/");
    if (begin == std::string::npos) return {};
    const std::string path = problem.substr(begin, problem.find_first_of(":\n", begin) - begin);
    return path.ends_with(".yaml") ? path : std::string();
}

}  // namespace

Findings look_for_policy(const HostFacts& facts) {
    if (facts.policy.exists) return {};
    return {{{},
             "there is no policy in /etc/keyturn, so keyturnd manages nothing on this host",
             "sudo keyturnctl setup"}};
}

Findings look_at_policy(const HostFacts& facts) {
    if (facts.policy.problem.empty()) return {};
    const std::string path = file_in(facts.policy.problem);
    return {{{},
             fmt::format("keyturnd refuses the policy at its next start. {}", facts.policy.problem),
             path.empty() ? "keyturnctl check" : edit_policy_command(path)}};
}

Findings look_at_own_unit_file(const HostFacts& facts) {
    if (!facts.daemon.need_daemon_reload) return {};
    return {
        {{own_unit},
         fmt::format("the file of {} or a drop-in changed, and systemd has not read it", own_unit),
         "sudo systemctl daemon-reload"}};
}

Findings look_at_keyturnd(const HostFacts& facts) {
    const DaemonSeen& daemon = facts.daemon;
    if (daemon.state.name.empty()) return {};  // Nobody could look.
    if (!daemon.state.loaded()) {
        const bool masked = daemon.state.load_state == "masked";
        return {{about_keyturnd(facts),
                 fmt::format("systemd has no usable {} ({})", own_unit, daemon.state.load_state),
                 masked ? "sudo systemctl unmask keyturnd" : "sudo systemctl daemon-reload"}};
    }
    if (!daemon.state.running()) {
        const bool limited = daemon.service.result == "start-limit-hit";
        return {{about_keyturnd(facts),
                 fmt::format("keyturnd does not run: it is {} ({}, exit status {})",
                             daemon.state.active_state, daemon.service.result,
                             daemon.service.exit_status),
                 limited
                     ? "sudo sh -c 'systemctl reset-failed keyturnd && systemctl start keyturnd'"
                     : "sudo systemctl restart keyturnd"}};
    }
    if (!daemon.no_answer.empty()) {
        return {{about_keyturnd(facts),
                 fmt::format("keyturnd runs but does not answer: {}", daemon.no_answer),
                 "sudo systemctl restart keyturnd"}};
    }
    return {};
}

Findings look_at_enabling(const HostFacts& facts) {
    const std::string& state = facts.daemon.service.unit_file_state;
    if (state.empty() || state.starts_with("enabled")) return {};
    return {{{own_unit},
             fmt::format("keyturnd is {}, so it does not start at the next boot", state),
             "sudo systemctl enable keyturnd"}};
}

Findings look_at_loaded_policy(const HostFacts& facts) {
    const DaemonSeen& daemon = facts.daemon;
    if (!daemon.no_answer.empty() || !daemon.state.running()) return {};
    std::vector<std::string> planned;
    for (const TunnelSeen& tunnel : facts.tunnels)
        planned.push_back(fmt::format("{} {}", tunnel.name, tunnel.tunnel));
    auto known = daemon.known_tunnels;
    std::ranges::sort(planned);
    std::ranges::sort(known);
    if (planned == known) return {};
    return {{{own_unit},
             "the policy changed after keyturnd read it: the tunnels that keyturnd manages are not "
             "those of the policy",
             "sudo systemctl reload keyturnd"}};
}

Findings look_for_second_keyturnd(const HostFacts& facts) {
    if (facts.daemon.others.empty()) return {};
    const std::string processes = fmt::format("{}", fmt::join(facts.daemon.others, " "));
    return {{{},
             fmt::format("a second keyturnd runs (process {}): two of them may rotate the same "
                         "tunnel",
                         processes),
             fmt::format("sudo kill {}", processes)}};
}

Findings look_at_polkit(const HostFacts& facts) {
    if (facts.system.polkit_problem.empty()) return {};
    return {{{},
             fmt::format("polkit does not answer, so systemd lets keyturnd restart nothing: {}",
                         facts.system.polkit_problem),
             "sudo systemctl restart polkit"}};
}

Findings look_at_rights(const HostFacts& facts) {
    Findings findings;
    for (const RightSeen& right : facts.rights) {
        if (!right.permission || *right.permission == Permission::granted) continue;
        const auto same = [&](const Finding& one) { return one.about.front() == right.unit; };
        if (std::ranges::any_of(findings, same)) continue;
        Finding finding;
        finding.about = {right.unit};
        for (const UnitSeen& unit : facts.units)
            if (unit.name() == right.unit) finding.about = about(unit);
        if (*right.permission == Permission::refused) {
            finding.seen = fmt::format("polkit does not let keyturnd use the verb {} on {}",
                                       right.verb, right.unit);
            finding.remedy = "sudo keyturnctl setup";
        } else {
            finding.seen = fmt::format(
                "{} has RefuseManualStart= or RefuseManualStop=, so keyturnd cannot restart it",
                right.unit);
            finding.remedy = drop_in_command(
                right.unit, "manual", {"[Unit]", "RefuseManualStart=no", "RefuseManualStop=no"});
        }
        findings.push_back(std::move(finding));
    }
    return findings;
}

Findings look_at_holds(const HostFacts& facts) {
    Findings findings;
    for (const TunnelSeen& tunnel : facts.tunnels) {
        if (!tunnel.status || tunnel.status->state != "held") continue;
        findings.push_back({about_all_of(facts, tunnel),
                            fmt::format("the rotation of {} is held and needs a decision: {}",
                                        tunnel.name, tunnel.status->reason),
                            fmt::format("sudo keyturnctl retry {} --follow", tunnel.name)});
    }
    return findings;
}

Findings look_at_keyturnds_findings(const HostFacts& facts) {
    Findings findings;
    for (const TunnelSeen& tunnel : facts.tunnels) {
        if (!tunnel.status) continue;
        // Whatever fails on the way to Cloudflare or to systemd may be the reason.
        auto about = about_all_of(facts, tunnel);
        about.emplace_back(own_unit);
        for (const NameSeen& name : facts.network.api_names) about.push_back(name.host);
        for (const std::string& finding : tunnel.status->findings) {
            findings.push_back({about,
                                fmt::format("keyturnd reports about {}: {}. If that is over, the "
                                            "command has keyturnd look again at once",
                                            tunnel.name, finding),
                                "sudo systemctl reload keyturnd"});
        }
    }
    return findings;
}

}  // namespace keyturn
