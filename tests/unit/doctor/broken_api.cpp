// Ways to break the API token and the tunnel at Cloudflare.
#include "broken_host.hpp"

namespace keyturn {

std::vector<Broken> api_is_broken() {
    return {
        {"api-token-missing", "no file",
         [](auto& facts) {
             credential_of(facts).exists = false;
             credential_of(facts).check.reset();
         },
         "does not exist", "keyturnctl setup"},
        {"api-token-host-key", "clone",
         [](auto& facts) {
             credential_of(facts).host_key = false;
             credential_of(facts).unreadable = "`systemd-creds` failed";
             credential_of(facts).check.reset();
             facts.daemon.state.active_state = "failed";
         },
         "status 243", "rm -f /etc/keyturn/cloudflare-api-token.cred"},
        {"api-token-unusable", "a tunnel token",
         [](auto& facts) {
             credential_of(facts).unreadable = "it is a tunnel token";
             credential_of(facts).check.reset();
         },
         "it is a tunnel token", "keyturnctl setup"},
        {"api-token-mode", "0644",
         [](auto& facts) { credential_of(facts).open = "other users can read it"; },
         "other users can read it", "chown root:root"},
        {"api-token-mode", "of keyturnd's own user",
         [](auto& facts) {
             credential_of(facts).open = "other users can read it";
             credential_of(facts).owner = "keyturn";
         },
         "other users can read it", "chown keyturn:keyturn"},
        {"api-silent", "outage",
         [](auto& facts) {
             credential_of(facts).check.reset();
             credential_of(facts).no_answer = "HTTP 502";
         },
         "HTTP 502", "cloudflarestatus"},
        {"api-silent", "a login page",
         [](auto& facts) { verify_as(facts, ApiTokenVerdict::unclear, "a page"); }, "a page",
         "cloudflarestatus"},
        {"api-token-address", "filter",
         [](auto& facts) {
             verify_as(facts, ApiTokenVerdict::address_refused, "9109 from location");
             tunnel_of(facts).read.fault = tunnel_of(facts).write.fault = Fault::denied;
         },
         "9109 from location", "--api-token-file -"},
        {"api-token-invalid", "rolled",
         [](auto& facts) {
             verify_as(facts, ApiTokenVerdict::unknown, "1000");
             tunnel_of(facts).read.fault = tunnel_of(facts).write.fault = Fault::denied;
         },
         "deleted or rolled", "--api-token-file -"},
        {"api-token-invalid", "malformed",
         [](auto& facts) { verify_as(facts, ApiTokenVerdict::malformed, "6003"); }, "is none",
         "--api-token-file -"},
        {"api-token-invalid", "expired",
         [](auto& facts) { verify_as(facts, ApiTokenVerdict::inactive, "expired"); }, "has expired",
         "--api-token-file -"},
        {"api-token-expires", "soon",
         [](auto& facts) {
             credential_of(facts).check->expires = facts.now + std::chrono::hours{48};
         },
         "expires at", "--api-token-file -"},
    };
}

std::vector<Broken> tunnel_is_broken() {
    return {
        {"tunnel-unknown", "404",
         [](auto& facts) {
             tunnel_of(facts).read = {Fault::missing, "HTTP 404"};
         },
         "HTTP 404", "sudoedit /etc/keyturn/keyturn.d/web.yaml"},
        {"tunnel-deleted", "deleted", [](auto& facts) { tunnel_of(facts).deleted = true; },
         "was deleted", "sudoedit"},
        {"api-token-permission", "read only",
         [](auto& facts) {
             tunnel_of(facts).write = {Fault::denied, "HTTP 403"};
         },
         "may not change tunnel web: HTTP 403", "--api-token-file -"},
        {"api-token-permission", "another account",
         [](auto& facts) {
             tunnel_of(facts).read = {Fault::denied, "HTTP 403"};
         },
         "may not read tunnel web", "--api-token-file -"},
        {"connector-unknown", "one more",
         [](auto& facts) {
             tunnel_of(facts).connectors->push_back({"7ad8a4ae", "198.51.100.7", "now", "", 4});
         },
         "7ad8a4ae from 198.51.100.7", "--compromised"},
        {"connector-slots", "25",
         [](auto& facts) {
             for (int i = 1; i < 25; ++i) {
                 UnitSeen unit = healthy_unit("cloudflared-" + std::to_string(i) + ".service");
                 unit.connector = std::to_string(i);
                 facts.units.push_back(unit);
                 tunnel_of(facts).connectors->push_back({unit.connector, "", "", "", 4});
             }
         },
         "25 connectors", "keyturnctl status web"},
    };
}

}  // namespace keyturn
