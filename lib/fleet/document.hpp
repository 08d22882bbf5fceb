#pragma once

#include "base/names.hpp"
#include "policy/policy.hpp"
#include "rotation/action.hpp"
#include "rotation/record.hpp"
#include "time/moment.hpp"
#include "token/token.hpp"

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// The host that runs the open rotation.
struct FleetLead {
    std::string host;
    std::uint64_t beat = 0;  ///< Grows while the lead works. Others see that it stopped growing.

    bool operator==(const FleetLead&) const = default;
};

/// Both tokens of the open rotation, sealed under the fleet key.
struct SealedTokens {
    std::string rotation_id;
    std::string key_id;
    std::string nonce;  ///< Base64.
    std::string text;   ///< Base64.

    bool operator==(const SealedTokens&) const = default;
};

/// How far a turn is.
enum class TurnState {
    granted,  ///< The host of the unit may take it. The lead may withdraw it.
    taken,    ///< The host restarts the unit now, or is about to. Only its host can end it.
    ended,    ///< systemd has answered; `result` or `fault` says how.
};

template <>
inline constexpr Names<TurnState, 3> names<TurnState>{{
    {TurnState::granted, "granted"},
    {TurnState::taken, "taken"},
    {TurnState::ended, "ended"},
}};

template <>
inline constexpr Names<JobResult, 8> names<JobResult>{{
    {JobResult::done, "done"},
    {JobResult::canceled, "canceled"},
    {JobResult::timeout, "timeout"},
    {JobResult::failed, "failed"},
    {JobResult::dependency, "dependency"},
    {JobResult::skipped, "skipped"},
    {JobResult::other, "other"},
    {JobResult::queued, "queued"},
}};

template <>
inline constexpr Names<RestartVerb, 2> names<RestartVerb>{{
    {RestartVerb::try_restart, "try-restart"},
    {RestartVerb::restart, "restart"},
}};

/// The permission to restart one unit once. It does not expire, and no crash frees it: as long as
/// it is taken, no other unit of the fleet may go down.
struct FleetTurn {
    std::uint64_t number = 0;  ///< Grows with each turn of the object's life.
    std::string unit;          ///< HOST/UNIT.
    std::string rotation_id;
    RestartVerb verb = RestartVerb::try_restart;
    Milliseconds deadline{0};  ///< How long its host waits for the job; zero: it does not wait.
    bool hurried = false;      ///< After a compromise, for a unit that cannot reconnect: does not
                               ///< exclude other turns.
    TurnState state = TurnState::granted;
    std::string invocation_before;    ///< Since taken: the process that it replaces.
    std::optional<JobResult> result;  ///< Ended: how the job ended, or ...
    std::optional<Fault> fault;       ///< ... why there was none.
    std::string why;                  ///< The text of the fault.
    std::string not_reset;            ///< As in `RestartResult`.

    [[nodiscard]] bool open() const { return state != TurnState::ended; }

    bool operator==(const FleetTurn&) const = default;
};

/// What a person wants, typed on any host.
enum class OrderKind { none, rotate, retry, pause, resume, revert };

template <>
inline constexpr Names<OrderKind, 6> names<OrderKind>{{
    {OrderKind::none, ""},
    {OrderKind::rotate, "rotate"},
    {OrderKind::retry, "retry"},
    {OrderKind::pause, "pause"},
    {OrderKind::resume, "resume"},
    {OrderKind::revert, "revert"},
}};

struct FleetOrder {
    std::uint64_t number = 0;  ///< Grows with each order.
    std::uint64_t done = 0;    ///< The newest one that a host has carried out or refused.
    std::string id;  ///< Of the newest one: by it, a host recognizes what it has placed already.
    OrderKind kind = OrderKind::none;
    RotationRequest request;  ///< Of `rotate`. Units are HOST/UNIT.
    std::string by;           ///< The host where it was typed.
    std::string refusal;      ///< Why the newest one was refused; empty if it was not.

    [[nodiscard]] bool open() const { return done != number; }
    /// A secret has leaked: any host that can lead obeys at once.
    [[nodiscard]] bool urgent() const {
        return kind == OrderKind::rotate && request.kind == RotationKind::compromise;
    }

    bool operator==(const FleetOrder&) const = default;
};

/// One unit, as its host reports it.
struct MemberUnit {
    InspectUnits::Unit setup;  ///< As of the last question (`FleetDocument::ask`).
    SampleUnits::Sample seen;  ///< As of the last report; names have no host in front.

    [[nodiscard]] const std::string& name() const { return setup.name; }

    bool operator==(const MemberUnit&) const = default;
};

/// What a host says about itself. Only this host changes it.
struct FleetMember {
    std::string install;            ///< 32 hex digits, made when the host joined.
    std::string mark;               ///< 16 hex digits, new with each report; see `FleetMemory`.
    bool eligible = false;          ///< Has a Cloudflare credential and may lead.
    std::vector<int> speaks{1};     ///< Formats that it understands.
    std::string version;            ///< Of keyturn.
    std::vector<std::string> keys;  ///< Ids of the fleet keys that it has.
    std::string policy;             ///< Fingerprint of the tunnel's policy on it.
    int min_available = 0;          ///< What its policy says.
    std::uint64_t answers = 0;      ///< The newest question that this report answers.
    Fingerprint file;               ///< Of the token in its file; empty if there is none.
    std::string staged;             ///< The rotation whose token it has on its disk.
    std::string problem;            ///< Why its token file cannot be replaced, and what to do.
    std::string lacks;              ///< Why it does not have the token that it should have by now.
    std::vector<MemberUnit> units;

    [[nodiscard]] const MemberUnit* find(std::string_view unit) const;

    bool operator==(const FleetMember&) const = default;
};

/// All that the hosts of one tunnel share: one small object that changes only by compare-and-swap.
/// Units of the record have the form HOST/UNIT.
struct FleetDocument {
    std::string fleet;  ///< 32 hex digits, made when the fleet was.
    std::string account;
    std::string tunnel;
    std::uint64_t rev = 0;          ///< Grows by one with each write.
    std::string nonce;              ///< 16 hex digits, new with each attempt to write.
    std::string writer;             ///< The host.
    std::uint64_t epoch = 0;        ///< Grows with each new lead.
    std::optional<FleetLead> lead;  ///< Nobody while no rotation is open.
    RolloutPolicy rules;            ///< Of the open rotation: those of the host that began it.
    TunnelState state;
    std::optional<HistoryEntry> last;  ///< The newest entry of the history, without its units.
    Fingerprint deliver;  ///< What every token file has to hold; Cloudflare has confirmed it.
    std::optional<SealedTokens> sealed;
    std::uint64_t ask = 0;  ///< The number of the newest question "how are you now?". A delivery
                            ///< is one.
    std::vector<FleetTurn> turns;  ///< Open ones, and the ended one whose result the lead reads.
    std::uint64_t turns_granted = 0;
    FleetOrder order;
    std::map<std::string, FleetMember> members;  ///< By host.

    [[nodiscard]] bool led_by(const std::string& host, std::uint64_t in_epoch) const {
        return lead && lead->host == host && epoch == in_epoch;
    }
    /// True if the host has looked at its units since its file holds the token to deliver. Each
    /// process that it does not know yet has then read that token.
    [[nodiscard]] bool has_token(const FleetMember& member) const {
        return member.file == deliver && member.answers == ask;
    }
    /// The hosts that a rotation still waits for before this record may be stored: Cloudflare may
    /// learn of the new token only once every host has it on its disk.
    [[nodiscard]] std::vector<std::string> unstaged(const RotationRecord& record) const;
    /// The newest turn of a unit, HOST/UNIT; null if there is none.
    [[nodiscard]] const FleetTurn* turn_of(std::string_view unit) const;

    bool operator==(const FleetDocument&) const = default;
};

/// HOST/UNIT, taken apart.
struct FleetUnitName {
    std::string host;
    std::string unit;

    bool operator==(const FleetUnitName&) const = default;
};
[[nodiscard]] std::string fleet_unit(const std::string& host, const std::string& unit);
[[nodiscard]] std::optional<FleetUnitName> split_fleet_unit(std::string_view name);

/// True for what a host can be called in a fleet: at most 64 letters, digits and "-_.", the first
/// one a letter or a digit.
[[nodiscard]] bool is_fleet_host(std::string_view name);

/// True for what systemd accepts as the name of a unit.
[[nodiscard]] bool is_unit_name(std::string_view name);

/// True if both are the same end of a rotation. The object shortens long texts, so only the times
/// tell entries apart.
[[nodiscard]] bool same_end(const HistoryEntry& one, const HistoryEntry& other);

/// The version of the format that this keyturn writes.
inline constexpr int fleet_format = 1;
/// Hexadecimal, of `FleetOrder::id`.
inline constexpr std::size_t order_digits = 16;

}  // namespace keyturn
