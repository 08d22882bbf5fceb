#pragma once

#include "time/moment.hpp"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace keyturn {

/// The current state of a service unit (org.freedesktop.systemd1 Unit and Service properties).
struct UnitState {
    std::string name;
    std::string load_state;    ///< loaded, not-found, masked, ...
    std::string active_state;  ///< active, activating, inactive, failed, ...
    std::string sub_state;     ///< running, auto-restart, start, dead, ...
    std::string result;        ///< success, timeout, exit-code, ...
    std::string invocation;    ///< InvocationID in hex: new at each start, even across reboots.
    std::uint32_t main_pid = 0;
    std::uint64_t control_group_id = 0;
    bool job_pending = false;

    [[nodiscard]] bool loaded() const { return load_state == "loaded"; }
    [[nodiscard]] bool running() const {
        return loaded() && active_state == "active" && sub_state == "running" && main_pid != 0;
    }

    /// True if it has a process that may serve, even if systemd does not show it as running.
    [[nodiscard]] bool up() const {
        return loaded() && (active_state == "active" || active_state == "reloading");
    }

    /// True if it has read a token or may have read one.
    [[nodiscard]] bool started() const {
        return running() || (loaded() && active_state == "activating");
    }

    /// True if systemd will not start it again automatically.
    [[nodiscard]] bool at_rest() const {
        return active_state == "inactive" || active_state == "failed";
    }

    bool operator==(const UnitState&) const = default;
};

/// A Condition...= or Assert...= of a unit.
struct UnitCondition {
    std::string type;  ///< "ConditionPathExists".
    bool trigger = false;
    bool negate = false;
    std::string parameter;

    bool operator==(const UnitCondition&) const = default;
};

/// LoadCredentialEncrypted=NAME:PATH.
struct EncryptedCredential {
    std::string name;
    std::string path;

    bool operator==(const EncryptedCredential&) const = default;
};

/// The settings of a unit that decide where its token comes from and what a restart does.
struct UnitSettings {
    std::string name;
    std::vector<std::string> names;                    ///< Its Id and all its aliases.
    std::vector<std::vector<std::string>> exec_start;  ///< One argument list for each command.
    std::vector<std::string> environment;              ///< NAME=VALUE; most values are cut off.
    std::vector<std::string> environment_files;  ///< "-" in front means that it may be missing.
    std::vector<std::string> unset_environment;
    std::vector<std::pair<std::string, std::string>> load_credentials;  ///< Name, path.
    std::vector<std::string>
        dragged_along;              ///< Units that also restart or stop when this one restarts.
    Milliseconds start_timeout{0};  ///< Zero: infinity.
    Milliseconds stop_timeout{0};   ///< Zero: infinity.
    bool need_daemon_reload = false;
    std::vector<std::string> files;  ///< Its own file and drop-ins, in the order of systemd.
    std::vector<std::string> pass_environment;     ///< Names passed on from systemd's environment.
    std::vector<std::string> manager_environment;  ///< What every unit gets; values are cut off.
    std::vector<EncryptedCredential> encrypted_credentials;
    std::vector<std::string> set_credentials;  ///< Only names: the contents may be secrets.
    std::vector<UnitCondition> conditions;     ///< Includes asserts.
    std::vector<std::pair<std::string, std::string>> needs;  ///< Setting, and a path or command in
                                                             ///< it without which it cannot start.
    std::string user;                                        ///< Empty: root.
    std::string protect_home;                                ///< yes, tmpfs, read-only, no.
    bool dynamic_user = false;

    bool operator==(const UnitSettings&) const = default;
};

/// How systemd says that a job ended. Words of newer versions become `other`.
enum class JobResult {
    done,
    canceled,
    timeout,
    failed,
    dependency,
    skipped,
    other,
    queued,  ///< Nobody waited for the job.
};

/// The outcome of a restart.
struct RestartResult {
    // NOLINTNEXTLINE(google-explicit-constructor): mostly there is only a result.
    RestartResult(JobResult ended = JobResult::other) : result(ended) {}

    JobResult result;
    std::string
        not_reset;  ///< Why the start limit could not be reset first; empty if it was reset.

    bool operator==(const RestartResult&) const = default;
    bool operator==(JobResult ended) const { return result == ended; }
};

enum class RestartVerb {
    try_restart,  ///< Does nothing to a unit that is not running: a stopped unit stays stopped.
    restart,      ///< For a unit that keyturnd's own recorded restart left failed or inactive.
};

}  // namespace keyturn
