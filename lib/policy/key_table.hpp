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
    section,         ///< A map of keys of ours.
    named_sections,  ///< A map whose keys are the operator's names, each holding a section.
    section_list,    ///< A list of maps of keys of ours.
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
    unit_patterns,  ///< A list of unit names and globs.
    time_zone,
    calendar,      ///< systemd's calendar events.
    cron,          ///< crontab(5).
    freeze_begin,  ///< A date, or a date and a time.
    freeze_end,    ///< The same; a date is meant with all of its day.
    remark,        ///< Words for people.
};

/// Which member of the policy a key fills; nothing for sections and keys that are only checked.
using KeyTarget =
    std::variant<std::monostate, std::string CloudflarePolicy::*, std::string CredentialSource::*,
                 std::string TunnelPolicy::*, std::vector<std::string> TunnelPolicy::*,
                 Milliseconds Schedule::*, std::vector<Calendar> Schedule::*, TimeZone Schedule::*,
                 Calendar Window::*, Milliseconds Window::*, LocalTime Freeze::*,
                 std::string Freeze::*, Milliseconds RolloutPolicy::*, int RolloutPolicy::*,
                 bool RolloutPolicy::*, SurgeUse RolloutPolicy::*, OnFailure RolloutPolicy::*,
                 Milliseconds DriftPolicy::*, DriftRestart DriftPolicy::*>;

/// Everything that is known about one key. The parser, the JSON schema and keyturn.yaml(5) come
/// from these, so a key exists when it is in the table and does not when it is not.
struct KeySpec {
    std::string_view path =
        {};  ///< "tunnels.NAME.rollout.soak"; NAME stands for an operator's name.
    KeyKind kind = KeyKind::section;
    bool required = false;                ///< Given here or, where `in_defaults`, under `defaults`.
    bool in_defaults = false;             ///< `defaults` may hold it, too.
    std::string_view default_value = {};  ///< The built-in value as it is written; empty: none.
    std::int64_t minimum = 0;             ///< For integers, durations in milliseconds, entries.
    std::int64_t maximum = 0;
    std::int64_t usual_minimum = 0;                        ///< Below it: allowed, with a warning.
    std::vector<std::string_view> (*choices)() = nullptr;  ///< For words.
    KeyTarget target = {};
    std::string_view help = {};  ///< One line for the manual page and the schema.

    /// The part after the last dot.
    [[nodiscard]] std::string_view name() const;
    /// The part before the last dot; empty for keys at the top.
    [[nodiscard]] std::string_view parent() const;
};

/// All keys, each section before what it holds, `defaults` before `tunnels`.
[[nodiscard]] std::span<const KeySpec> key_table();

/// Where a map of the document stands in the table. `defaults` holds the keys of `tunnels.NAME`
/// that have `in_defaults`.
struct KeyScope {
    std::string_view path = {};  ///< "", "tunnels.NAME", ...
    bool in_defaults = false;
};

/// The keys that a map at `scope` may hold, in the order of the table.
[[nodiscard]] std::vector<const KeySpec*> keys_in(KeyScope scope);

/// The scope of what is inside `spec`, a section or named sections, itself met in `scope`.
[[nodiscard]] KeyScope scope_inside(const KeySpec& spec, KeyScope scope);

/// "a duration such as `10m`": for problems and the manual page.
[[nodiscard]] std::string_view description_of(KeyKind kind);

}  // namespace keyturn
