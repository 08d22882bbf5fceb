// Ways to break token files, and how units get their token.
#include "broken_host.hpp"

namespace keyturn {

namespace {

/// As before it was brought in: nothing of keyturn in its settings.
void take_out(UnitSeen& unit, std::vector<std::string> options) {
    unit.settings.exec_start.front().resize(4);
    auto& words = unit.settings.exec_start.front();
    words.insert(words.end(), options.begin(), options.end());
    unit.settings.load_credentials.clear();
    unit.settings.unset_environment.clear();
    unit.settings.files.pop_back();
}

}  // namespace

std::vector<Broken> token_file_is_broken() {
    return {
        {"token-file", "missing",
         [](auto& facts) {
             tunnel_of(facts).file = {};
             tunnel_of(facts).file.exists = false;
         },
         "does not exist", "restart keyturnd"},
        {"token-file", "wide",
         [](auto& facts) {
             tunnel_of(facts).file.problem = "mode 644";
             unit_of(facts).exposed = {
                 {"/var/lib/keyturn/tokens/web", "root", false, sample_fingerprint}};
         },
         "mode 644", "rm -f /var/lib/keyturn/tokens/web"},
        {"token-file", "of another tunnel",
         [](auto& facts) { tunnel_of(facts).file.tunnel = "another"; }, "token of tunnel another",
         "rm -f /var/lib/keyturn/tokens/web"},
        {"token-file-old", "changed at Cloudflare",
         [](auto& facts) { tunnel_of(facts).fingerprint = old_fingerprint; },
         "somebody else changed it", "restart keyturnd"},
        {"unit-not-adopted", "token file of its own",
         [](auto& facts) {
             take_out(unit_of(facts), {"--token-file", "/etc/cloudflared/token"});
             unit_of(facts).running_origin = TokenOrigin::file;
         },
         "/etc/cloudflared/token", "keyturnctl adopt cloudflared.service"},
        {"unit-not-adopted", "token in its command line",
         [](auto& facts) {
             take_out(unit_of(facts), {"--token", ""});
             unit_of(facts).running_origin = TokenOrigin::argument;
             unit_of(facts).exposed = {
                 {"/etc/systemd/system/cloudflared.service", "root", true, sample_fingerprint}};
         },
         "command line", "keyturnctl adopt cloudflared.service"},
        {"unit-drop-in-order", "override",
         [](auto& facts) {
             unit_of(facts).settings.files.emplace_back(
                 "/etc/systemd/system/cloudflared.service.d/override.conf");
         },
         "override.conf", "keyturnctl adopt cloudflared.service"},
        {"unit-token-settings", "token: in config.yml",
         [](auto& facts) {
             unit_of(facts).files.configuration.path = "/etc/cloudflared/config.yml";
             unit_of(facts).files.configuration.token = true;
         },
         "/etc/cloudflared/config.yml", "keyturnctl adopt cloudflared.service"},
        {"unit-other-tunnel", "another",
         [](auto& facts) {
             unit_of(facts).running_tunnel = "another";
             unit_of(facts).running_fingerprint = old_fingerprint;
         },
         "tunnel another", "sudoedit /etc/keyturn/keyturn.d/web.yaml"},
        {"unit-not-restarted", "still the old settings",
         [](auto& facts) {
             unit_of(facts).running_origin = TokenOrigin::file;
             unit_of(facts).running_path = "/etc/cloudflared/token";
             unit_of(facts).running_fingerprint = old_fingerprint;
         },
         "still runs with the token from its old settings, /etc/cloudflared/token",
         "keyturnctl adopt cloudflared.service"},
    };
}

std::vector<Broken> secret_is_exposed() {
    return {
        {"unit-token-old", "old token",
         [](auto& facts) { unit_of(facts).running_fingerprint = old_fingerprint; },
         "runs with an old token", "keyturnctl rotate web --follow"},
        {"attestation", "stale",
         [](auto& facts) { unit_of(facts).attestation_problem = "/root/.cloudflared changed"; },
         "/root/.cloudflared changed", "keyturnctl doctor cloudflared.service"},
        {"attestation", "of the extra connector",
         [](auto& facts) {
             tunnel_of(facts).surge_attestation_problem = "/root/.cloudflared changed";
         },
         "keyturn-surge@web.service", "keyturnctl doctor keyturn-surge@web.service"},
        {"secret-in-command", "a unit that is not in the policy",
         [](HostFacts& facts) {
             UnitSeen unit = healthy_unit("other.service");
             unit.planned_for.clear();
             unit.running_tunnel = "another";
             unit.running_origin = TokenOrigin::argument;
             facts.units.push_back(unit);
         },
         "`ps` shows it", "keyturnctl setup"},
        {"secret-in-unit", "not rotated yet",
         [](auto& facts) {
             unit_of(facts).exposed = {
                 {"/etc/systemd/system/cloudflared.service", "root", true, sample_fingerprint}};
         },
         "systemd shows it to every user", "keyturnctl rotate web --follow"},
        {"secret-readable", "0644",
         [](auto& facts) {
             unit_of(facts).exposed = {
                 {"/etc/default/cloudflared", "root", false, sample_fingerprint}};
         },
         "/etc/default/cloudflared", "chown root /etc/default/cloudflared && chmod 600"},
    };
}

}  // namespace keyturn
