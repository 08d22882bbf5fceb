#pragma once

#include "policy/policy.hpp"

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

namespace keyturn {

/// What a key holds. The value of each kind is checked in one place (value.cpp).
enum class KeyKind {
    section,         ///< A map with keys of this table.
    named_sections,  ///< A map whose keys are names chosen by the operator, each holding a section.
    section_list,    ///< A list of maps with keys of this table.
    integer,
    boolean,
    duration,
    soak,             ///< A duration, or a section with its bounds.
    word,             ///< One of `KeySpec::choices`.
    account_id,       ///< 32 hex digits.
    tunnel_id,        ///< UUID.
    credential_name,  ///< A systemd credential.
    reference,        ///< A key of `cloudflare.credentials`.
    file_path,        ///< Absolute.
    https_url,
    proxy_url,
    secret_source,  ///< A section with exactly one of `credential` and `file`.
    store_url,      ///< https, or http to this host.
    store_urls,     ///< A list of them.
    bucket_name,
    region,      ///< Of a bucket.
    key_prefix,  ///< Of the keys in a store.
    user_name,   ///< Of a store.
    host_name,
    ip_address,
    feature_tag,     ///< A feature of cloudflared that only names its host.
    host_patterns,   ///< A list of hosts, domains, addresses and networks.
    unit_patterns,   ///< A list of unit names and globs.
    unit_addresses,  ///< A map of unit names, each with ADDRESS:PORT.
    time_zone,
    calendar,      ///< systemd's calendar events.
    cron,          ///< crontab(5).
    freeze_begin,  ///< A date, or a date and a time.
    freeze_end,    ///< The same; a date includes the whole day.
    remark,        ///< Free text for people.
};

/// The member of the policy that a key fills; nothing for sections and keys that are only checked.
using KeyTarget =
    std::variant<std::monostate, std::string CloudflarePolicy::*, std::string CredentialSource::*,
                 std::string ProxyPolicy::*, std::vector<std::string> ProxyPolicy::*,
                 std::string TunnelPolicy::*, std::vector<std::string> TunnelPolicy::*,
                 CoordinatorKind Coordinator::*, bool Coordinator::*, std::string Coordinator::*,
                 std::vector<std::string> Coordinator::*, CredentialSource Coordinator::*,
                 std::string KnownHost::*, int KnownHost::*,
                 std::map<std::string, std::string> TunnelPolicy::*, Milliseconds Schedule::*,
                 std::vector<Calendar> Schedule::*, TimeZone Schedule::*, Calendar Window::*,
                 Milliseconds Window::*, LocalTime Freeze::*, std::string Freeze::*,
                 Milliseconds RolloutPolicy::*, int RolloutPolicy::*, bool RolloutPolicy::*,
                 SurgeUse RolloutPolicy::*, OnFailure RolloutPolicy::*, Milliseconds DriftPolicy::*,
                 DriftRestart DriftPolicy::*>;

/// The most members of an etcd cluster that are worth naming; etcd recommends at most seven.
inline constexpr std::int64_t store_urls_max = 16;

/// Everything known about one key. The parser, the JSON schema and keyturn.yaml(5) are driven by
/// this table, so a key exists if and only if it is in the table.
struct KeySpec {
    std::string_view path =
        {};  ///< "tunnels.NAME.rollout.soak"; NAME stands for an operator's name.
    KeyKind kind = KeyKind::section;
    bool required = false;  ///< Must be set here or, if `in_defaults`, under `defaults`.
    bool own = false;       ///< Each tunnel has its own value, so `defaults` cannot hold it.
    std::string_view default_value = {};  ///< The default as it is written; empty if there is none.
    std::int64_t minimum = 0;             ///< Integers, durations in milliseconds, or list entries.
    std::int64_t maximum = 0;
    std::int64_t usual_minimum = 0;                        ///< Lower values get a warning.
    std::vector<std::string_view> (*choices)() = nullptr;  ///< Allowed words.
    KeyTarget target = {};
    std::string_view help = {};  ///< One line for the manual page and the schema.

    /// The part after the last dot.
    [[nodiscard]] std::string_view name() const;
    /// The part before the last dot; empty for keys at the top.
    [[nodiscard]] std::string_view parent() const;
    /// True for a key of a tunnel that is allowed under `defaults` as well.
    [[nodiscard]] bool in_defaults() const;
};

/// All keys: each section before its contents, `defaults` before `tunnels`.
[[nodiscard]] std::span<const KeySpec> key_table();

/// Which part of the table describes a map of the document. `defaults` may hold those keys of
/// `tunnels.NAME` that are not each tunnel's own.
struct KeyScope {
    std::string_view path = {};  ///< "", "tunnels.NAME", ...
    bool in_defaults = false;
};

/// The keys that a map at `scope` may hold, in the order of the table.
[[nodiscard]] std::vector<const KeySpec*> keys_in(KeyScope scope);

/// The scope inside `spec`, which is a section or named sections found in `scope`.
[[nodiscard]] KeyScope scope_inside(const KeySpec& spec, KeyScope scope);

/// "a duration such as `10m`": for problems and the manual page.
[[nodiscard]] std::string_view description_of(KeyKind kind);

}  // namespace keyturn
