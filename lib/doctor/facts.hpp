#pragma once

#include "base/error.hpp"
#include "cloudflared/token_source.hpp"
#include "model/api_token.hpp"
#include "model/connector.hpp"
#include "model/unit_state.hpp"
#include "time/moment.hpp"
#include "units/polkit.hpp"
#include "wire/tunnel_status.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace keyturn {

// What the doctor saw of a host, before anything is judged. Contains no secrets, only fingerprints.
// Everything is looked at once. Where nothing could be seen, a value is empty: a check of an empty
// value finds nothing, because another check finds the cause.

/// What the doctor saw of the policy in /etc/keyturn.
struct PolicySeen {
    bool exists = true;
    std::string problem;  ///< Why keyturnd would refuse it; empty if it is valid.
};

/// One of keyturnd's questions to systemd and polkit, and the answer to it.
struct RightSeen {
    std::string unit;
    std::string verb;
    std::optional<Permission> permission;  ///< Empty if there was no answer.

    bool operator==(const RightSeen&) const = default;
};

/// The settings of a service that decide what happens when it fails or stops.
struct ServiceSeen {
    std::string type;     ///< "notify", "simple", ...
    std::string restart;  ///< "on-failure", "no", ...
    Milliseconds restart_pause{0};
    unsigned start_limit_burst = 0;
    Milliseconds start_limit_interval{0};  ///< Zero: no limit.
    int exit_status = 0;                   ///< Of the last process that ended.
    std::string result;                    ///< "success", "start-limit-hit", ...
    std::string unit_file_state;           ///< "enabled", "disabled", "static", ...
    bool private_network = false;
    std::string network_namespace;  ///< NetworkNamespacePath=.
};

/// A file that a unit needs and that does not exist.
struct LostFile {
    std::string setting;  ///< "EnvironmentFile", "LoadCredential", "ConditionFileNotEmpty", ...
    std::string path;

    bool operator==(const LostFile&) const = default;
};

/// A file with a tunnel token that users other than its owner can read.
struct ExposedFile {
    std::string path;
    std::string owner_to_be;  ///< Who has to read it: the unit's user, mostly root.
    bool unit_file = false;   ///< systemd shows its content to all users, whatever its mode.
    std::string fingerprint;  ///< Of the token in it.

    bool operator==(const ExposedFile&) const = default;
};

/// What the doctor saw of a unit that runs a connector.
struct UnitSeen {
    UnitSettings settings;
    UnitState state;
    ConnectorFiles files;
    ServiceSeen service;
    std::string planned_for;  ///< The tunnel's name in the policy; empty if it is in none.
    std::string obstacle;     ///< Why `keyturnctl adopt` cannot bring it in; empty if it can.

    TokenOrigin running_origin = TokenOrigin::not_cloudflared;
    std::string running_path;         ///< The file that its process read; empty if none.
    std::string running_fingerprint;  ///< Of the token that its process has; empty if unknown.
    std::string running_tunnel;       ///< The UUID in that token; empty if unknown.

    std::string connector;           ///< connectorId of its /ready; empty if unknown.
    std::optional<int> connections;  ///< readyConnections; empty if unknown.
    std::string metrics_address;     ///< Where the policy says to ask it; empty if it does not say.
    bool contained = false;          ///< Its command starts a container.
    bool other_network = false;      ///< Its process is in another network namespace than keyturnd.

    std::vector<LostFile> lost_files;
    std::vector<ExposedFile> exposed;
    std::string
        attestation_problem;  ///< Why root's attestation of it is stale; empty if it is not.

    [[nodiscard]] const std::string& name() const { return settings.name; }
};

/// What the doctor saw of the file from which a tunnel's units take their token.
struct TokenFileSeen {
    bool exists = true;
    std::string problem;      ///< Owner, mode or content that keyturnd refuses; empty if fine.
    std::string fingerprint;  ///< Empty if unknown.
    std::string tunnel;       ///< The UUID in the token; empty if unknown.
};

/// How Cloudflare answered a call.
struct ApiAnswer {
    std::optional<Fault> fault;  ///< Empty after a success, and if nobody asked.
    std::string text;            ///< The error.
};

/// What the doctor saw of a tunnel of the policy.
struct TunnelSeen {
    std::string name;
    std::string account;
    std::string tunnel;
    std::string credential;
    std::string policy_path;                ///< The file of the policy that plans it.
    std::vector<std::string> lost_units;    ///< Entries of `units:` that stand for no unit.
    std::vector<std::string> masked_units;  ///< Entries of `units:` that are masked.
    int min_available = 1;
    bool surge = true;  ///< `rollout.surge` is `auto`.
    bool accept_gap = false;
    bool fleet = false;                     ///< Other hosts have connectors of it, too.
    bool surge_unit = true;                 ///< Its extra connector has a unit.
    std::string surge_attestation_problem;  ///< Why root's attestation of that unit is stale.
    TokenFileSeen file;

    ApiAnswer read;   ///< GET tunnel.
    ApiAnswer write;  ///< GET token, which needs a Write permission.
    bool deleted = false;
    std::string fingerprint;  ///< Of Cloudflare's token; empty if unknown.
    std::optional<std::vector<Connector>> connectors;

    std::optional<TunnelStatus> status;  ///< keyturnd's; empty if it does not answer.
};

/// What the doctor saw of an API token of the policy.
struct CredentialSeen {
    std::string name;  ///< In the policy.
    std::string path;  ///< Where it is stored.
    bool exists = true;
    bool encrypted = false;
    bool host_key = true;  ///< /var/lib/systemd/credential.secret exists.
    std::string
        unreadable;  ///< Why systemd cannot decrypt it, or keyturnd not use it; empty if fine.
    std::string owner = "root";          ///< Who has to own the file.
    std::string open;                    ///< Who else can read or change it; empty if nobody can.
    std::optional<ApiTokenCheck> check;  ///< What Cloudflare says about it.
    std::string no_answer;               ///< Why Cloudflare did not answer; empty if it did.
};

/// What the doctor saw of keyturnd itself.
struct DaemonSeen {
    UnitState state;
    ServiceSeen service;
    bool need_daemon_reload = false;
    std::string no_answer;                   ///< Why it does not answer on D-Bus.
    std::vector<std::string> known_tunnels;  ///< "NAME UUID" of each tunnel that it manages.
    std::vector<int> others;                 ///< Processes of a second keyturnd.
};

/// Whether a name was found.
struct NameSeen {
    std::string host;
    std::string problem;  ///< Empty if it was found.
};

/// Whether one of a name's addresses answered at a port.
struct PortSeen {
    std::string host;
    std::string port;
    bool answered = true;
    std::string problem;
};

/// What the doctor saw of the network. Each list has one entry for each host that was asked.
struct NetworkSeen {
    std::vector<NameSeen> api_names;
    std::vector<PortSeen> api_tcp;
    std::vector<NameSeen> edge_names;
    std::vector<PortSeen> edge_tcp;
    std::vector<PortSeen> edge_udp;
    std::string proxy;                    ///< "the proxy HOST:PORT" that keyturnd uses, or empty.
    std::vector<std::string> proxies;     ///< "HTTPS_PROXY of systemd", ...
    std::optional<WallTime> server_time;  ///< Cloudflare's Date header, and ...
    std::optional<WallTime> own_time;     ///< ... the clock of this host at that moment.
};

/// Something else on this host that may rotate the tunnels.
struct RotatorSeen {
    std::string path;
    std::string mark;  ///< The word that gives it away.

    bool operator==(const RotatorSeen&) const = default;
};

/// What the doctor saw of the host.
struct SystemSeen {
    std::string bus_problem;                 ///< Why the system bus is unavailable.
    std::string polkit_problem;              ///< Why polkit gives no answer.
    std::string state_problem;               ///< What is wrong with /var/lib/keyturn.
    std::uint64_t free_bytes = UINT64_MAX;   ///< Of the file system of /var/lib/keyturn.
    std::uint64_t free_inodes = UINT64_MAX;  ///< The maximum where there is no limit.
    bool journal_persistent = true;
    std::vector<std::string> open_swaps;  ///< Swap devices that are not encrypted.
    int systemd_version = 0;              ///< Zero: unknown.
    std::string updater;  ///< The active timer that updates cloudflared; empty if there is none.
    std::vector<RotatorSeen> rotators;
};

struct HostFacts {
    WallTime now{};
    PolicySeen policy;
    std::vector<TunnelSeen> tunnels;     ///< Of the policy.
    std::vector<UnitSeen> units;         ///< All that run connectors.
    std::vector<std::string> elsewhere;  ///< Connectors outside of units, a clause each.
    std::vector<CredentialSeen> credentials;
    DaemonSeen daemon;
    std::vector<RightSeen> rights;
    NetworkSeen network;
    SystemSeen system;
};

}  // namespace keyturn
