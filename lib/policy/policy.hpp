#pragma once

#include "base/names.hpp"
#include "base/rare.hpp"
#include "schedule/schedule.hpp"
#include "time/moment.hpp"

#include <map>
#include <string>
#include <vector>

namespace keyturn {

/// Where keyturnd reads a secret. At most one of the two is set, and for an API token or a fleet
/// key exactly one.
struct CredentialSource {
    std::string credential;  ///< Name of a systemd credential (LoadCredential=) of keyturnd.
    std::string file;        ///< Absolute path of a file, mode 0600.

    bool operator==(const CredentialSource&) const = default;
};

/// The HTTP proxy of the network, on the way to the Cloudflare API.
struct ProxyPolicy {
    std::string url;                    ///< http://HOST[:PORT]; empty if the policy does not say.
    CredentialSource login;             ///< Of USER:PASSWORD; empty if the proxy wants none.
    std::vector<std::string> no_proxy;  ///< See base/no_proxy.hpp.

    bool operator==(const ProxyPolicy&) const = default;
};

/// Where and how keyturnd reaches the Cloudflare API.
struct CloudflarePolicy {
    std::string api_url = "https://api.cloudflare.com/client/v4";
    std::string ca_file;  ///< PEM file of certificate authorities; empty: the system's.
    std::map<std::string, CredentialSource> credentials;
    ProxyPolicy proxy;

    bool operator==(const CloudflarePolicy&) const = default;
};

/// What keyturnd does if too few units serve for one of them to restart.
enum class SurgeUse {
    automatic,  ///< Starts an extra connector, if there is a unit for one.
    never,
};

template <>
inline constexpr Names<SurgeUse, 2> names<SurgeUse>{{
    {SurgeUse::automatic, "auto"},
    {SurgeUse::never, "never"},
}};

/// What keyturnd does if a unit does not come back with the new token.
enum class OnFailure { hold, revert };

template <>
inline constexpr Names<OnFailure, 2> names<OnFailure>{{
    {OnFailure::hold, "hold"},
    {OnFailure::revert, "revert"},
}};

/// When keyturnd restarts units after somebody else has changed the secret.
enum class DriftRestart { window, now, never };

template <>
inline constexpr Names<DriftRestart, 3> names<DriftRestart>{{
    {DriftRestart::window, "window"},
    {DriftRestart::now, "now"},
    {DriftRestart::never, "never"},
}};

/// How a rotation rolls out over a tunnel's units. keyturn.yaml(5) describes each key.
struct RolloutPolicy {
    int batches = 2;
    bool canary = false;
    Milliseconds settle = std::chrono::seconds{5};
    Milliseconds soak = std::chrono::minutes{10};
    Milliseconds soak_min =
        std::chrono::minutes{10};  ///< If less than `soak`, a soak may end early.
    int min_available = 1;
    Milliseconds min_healthy_time = std::chrono::seconds{10};
    Milliseconds healthy_deadline = std::chrono::minutes{2};
    Milliseconds progress_deadline = std::chrono::hours{2};
    SurgeUse surge = SurgeUse::automatic;
    bool accept_gap = false;
    OnFailure on_failure = OnFailure::hold;

    bool operator==(const RolloutPolicy&) const = default;
};

/// What keyturnd does if somebody else changes a tunnel's secret.
struct DriftPolicy {
    Milliseconds interval = std::chrono::minutes{15};  ///< Between two checks at Cloudflare.
    DriftRestart restart = DriftRestart::window;
    /// Between two checks of the units alone. Not a key: only tests that simulate months change it.
    Milliseconds units_interval = std::chrono::minutes{1};
    /// Another host of the tunnel changes the secret, however often that is. Not a key: it follows
    /// from `coordinator`.
    bool by_another_host = false;

    bool operator==(const DriftPolicy&) const = default;
};

/// What keeps the object that the hosts of one tunnel share.
enum class CoordinatorKind {
    local,  ///< Nothing: the tunnel has no other hosts. Never in a checked policy.
    bucket,
    etcd,
    file,
    api,  ///< There is none: each host sees at Cloudflare what the others do.
};

template <>
inline constexpr Names<CoordinatorKind, 5> names<CoordinatorKind>{{
    {CoordinatorKind::local, "local"},
    {CoordinatorKind::bucket, "bucket"},
    {CoordinatorKind::etcd, "etcd"},
    {CoordinatorKind::file, "file"},
    {CoordinatorKind::api, "api"},
}};

/// A host of a tunnel, and how Cloudflare's list of connectors shows that a connector is its own:
/// by exactly one of `address` and `tag`.
struct KnownHost {
    std::string host;
    std::string address;  ///< Numeric: where its connections come from, and those of no other host.
    std::string tag;      ///< "keyturn-...": a feature that its connectors announce.
    int units = 1;        ///< How many of its units serve the tunnel.

    bool operator==(const KnownHost&) const = default;
};

inline constexpr std::size_t known_hosts_max = 25;

/// Where the hosts of one tunnel share what they agree on. Each kind has its own members; those of
/// other kinds have their defaults.
struct Coordinator {
    CoordinatorKind kind = CoordinatorKind::local;
    bool lead = true;            ///< This host may lead rotations.
    CredentialSource fleet_key;  ///< Of the keys of the fleet, which all its hosts have.

    // Of `bucket` and `etcd`.
    std::string prefix = "keyturn";  ///< Segments with "/" between them: what keys begin with.
    std::string ca_file;             ///< PEM file of certificate authorities; empty: the system's.

    // Of `bucket`.
    std::string endpoint;  ///< URL, without the bucket.
    std::string bucket;
    std::string region = "auto";
    CredentialSource credential;  ///< Of ACCESS_KEY_ID SECRET_ACCESS_KEY.

    // Of `etcd`.
    std::vector<std::string> endpoints;  ///< URLs, of one cluster.
    std::string cert_file;               ///< PEM file of our certificate; empty: none.
    std::string key_file;                ///< Of its key; empty if there is no certificate.
    std::string user;                    ///< Empty: the cluster has no authentication.
    CredentialSource password;           ///< Of the user.

    // Of `file`.
    std::string path;  ///< Absolute.

    // Of `api`.
    std::string host;              ///< Which of `hosts` this is; empty: the short host name.
    std::vector<KnownHost> hosts;  ///< In the order in which they restart; the first one rotates.

    bool operator==(const Coordinator&) const = default;
};

struct TunnelPolicy {
    std::string name;        ///< The operator's name for it: file names, journal, keyturnctl.
    std::string account;     ///< 32 hex digits.
    std::string tunnel;      ///< UUID, lower case.
    std::string credential;  ///< Key of `CloudflarePolicy::credentials`; empty: this host has none,
                             ///< because it only follows.
    std::vector<std::string> units;  ///< Unit names or globs, in the order of the policy.
    /// Unit name to ADDRESS:PORT: where units are asked whose sockets this host does not see.
    std::map<std::string, std::string> metrics_addresses;
    Schedule schedule;
    RolloutPolicy rollout;
    DriftPolicy drift;
    Rare<Coordinator> coordinator;  ///< Nothing: this host alone runs the tunnel.

    bool operator==(const TunnelPolicy&) const = default;
};

/// A checked policy: every reference resolves and every value is within its bounds.
struct Policy {
    CloudflarePolicy cloudflare;
    std::vector<TunnelPolicy> tunnels;
    std::vector<std::string> warnings;  ///< Allowed but unusual, such as a soak under ten seconds.

    bool operator==(const Policy&) const = default;
};

}  // namespace keyturn
