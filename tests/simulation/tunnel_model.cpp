#include "simulation/tunnel_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

namespace keyturn::simulation {

namespace {

using std::chrono::seconds;

constexpr Milliseconds late_patch_max = seconds{60};

/// Half of the faults of a call come after it took effect, and only its answer is lost.
constexpr double answer_lost = 0.5;
/// How often the answer to a PATCH contains the token.
constexpr double patch_answers_token = 0.8;

/// The address of our connectors, and those of a stranger: elsewhere, behind the same address, or
/// not reported by the API.
constexpr const char* own_address = "192.0.2.1";
constexpr std::array stranger_addresses{"198.51.100.7", own_address, ""};

std::string fingerprint(SecretId secret) {
    return fmt::format("{:016x}", secret);
}

std::string rotation_id(SecretId secret) {
    return fmt::format("{:032x}", secret);
}

Error down(const char* what) {
    return Error{Fault::unreachable, fmt::format("{} does not answer", what), {}};
}

}  // namespace

TunnelModel::TunnelModel(TunnelPolicy policy, Shared& shared, BootTime now)
    : policy_(std::move(policy)),
      shared_(shared),
      now_(now),
      cloud_(shared.chance, next_secret_),
      invariants_(policy_, cloud_, disk_, units_) {
    disk_.token_file = next_secret_++;
    units_.reserve(policy_.units.size() + 1);
    for (const std::string& name : policy_.units) {
        const UnitSurroundings around{shared.chance, cloud_, disk_.token_file, shared.next_process};
        units_.emplace_back(name, policy_.tunnel, around, now);
    }
    if (policy_.rollout.surge != SurgeUse::never) {
        const UnitSurroundings around{shared.chance, cloud_, disk_.token_file, shared.next_process};
        units_.emplace_back(surge_name(policy_), policy_.tunnel, around, now, false);
    }
}

UnitModel& TunnelModel::unit(const std::string& name) {
    return *std::ranges::find(units_, name, &UnitModel::name);
}

void TunnelModel::advance(BootTime now) {
    now_ = now;
    cloud_.advance(now);
    reach_the_edge();
    for (UnitModel& unit : units_) unit.advance(now);
}

void TunnelModel::reboot(BootTime up) {
    for (UnitModel& unit : units_) unit.reboot(up);
}

void TunnelModel::mend(bool leave_stopped) {
    cloud_.detach_foreign();
    for (UnitModel& unit : units_) {
        unit.mend(leave_stopped);
        if (!disk_.record) unit.reconnect();
        // Left over from a rotation that is forgotten.
        if (!disk_.record && is_surge(unit)) static_cast<void>(unit.begin_stop_job());
    }
}

void TunnelModel::rotate_foreign(BootTime now) {
    constexpr double old_one = 0.3;
    constexpr int newest = 3;  // People who restore one seldom have an older one.
    Dice& dice = shared_.chance.dice();
    const SecretId old = dice.between(std::max(1, next_secret_ - newest), next_secret_ - 1);
    // A unit that reads a token from elsewhere, or from a changed file, must not connect with it.
    const Chance& chance = shared_.chance;
    const bool may_be_old =
        !chance.possible(FaultKind::file_changed) && !chance.possible(FaultKind::other_source);
    cloud_.set_by_stranger(may_be_old && dice.happens(old_one) ? old : next_secret_++, now);
}

std::optional<bool> TunnelModel::token_was_changed(BootTime now) {
    advance(now);
    const Result<SecretId> shown = read_api();
    if (!shown) return std::nullopt;
    return *shown != disk_.token_file;
}

void TunnelModel::check_convergence(BootTime now) {
    advance(now);
    invariants_.converged();
}

void TunnelModel::attach_foreign_replica() {
    const int last = static_cast<int>(stranger_addresses.size()) - 1;
    const int address = shared_.chance.dice().between(0, last);
    cloud_.attach_foreign(stranger_name, stranger_addresses.at(static_cast<std::size_t>(address)));
}

std::optional<Answer> TunnelModel::perform(const Action& action, BootTime now) {
    advance(now);
    return std::visit([this](const auto& asked) { return answer(asked); }, action);
}

template <class Asked>
std::optional<Answer> TunnelModel::answer(const Asked& action) {
    auto result = act(action);
    if (!result) return std::nullopt;
    if (!*result) invariants_.call_failed();
    return Answered<Asked>{std::move(*result)};
}

// --- Cloudflare ----------------------------------------------------------------------------------

std::optional<Error> TunnelModel::api_fault() {
    if (shared_.api.down(now_)) return down("Cloudflare");
    if (shared_.chance.strikes(FaultKind::api_denied)) {
        return Error{Fault::denied, "HTTP 403", {}};
    }
    if (!shared_.chance.strikes(FaultKind::api_call)) return std::nullopt;
    if (shared_.chance.dice().happens(0.3)) {
        return Error{Fault::busy, "HTTP 429", seconds{shared_.chance.dice().between(0, 90)}};
    }
    return Error{Fault::unreachable, "HTTP 503", {}};
}

Result<SecretId> TunnelModel::read_api() {
    if (auto fault = api_fault()) return *fault;
    const SecretId shown = cloud_.shown(now_);
    invariants_.token_told(shown);
    return shown;
}

TunnelModel::ResultOf<InspectTunnel> TunnelModel::act(const InspectTunnel&) {
    if (auto fault = api_fault()) return *fault;
    return InspectTunnel::Value{};
}

TunnelModel::ResultOf<ReadToken> TunnelModel::act(const ReadToken&) {
    invariants_.token_asked();
    const Result<SecretId> shown = read_api();
    if (!shown) return shown.error();
    ReadToken::Value value;
    value.fingerprint = fingerprint(*shown);
    if (disk_.kept && *shown == disk_.kept->fresh) {
        value.holder = ReadToken::Holder::ours;
    } else if (disk_.kept && *shown == disk_.kept->old) {
        value.holder = ReadToken::Holder::previous;
    }
    value.clock_ahead = Milliseconds{0};
    return value;
}

TunnelModel::ResultOf<ListConnectors> TunnelModel::act(const ListConnectors&) {
    if (auto fault = api_fault()) return *fault;
    invariants_.connectors_listed(now_);
    ListConnectors::Value connectors;
    for (const UnitModel& unit : units_) {
        if (unit.listed()) {
            const Readiness ready = unit.readiness();
            connectors.push_back({ready.connector_id, own_address, "", "", ready.connections});
        }
        if (auto ghost = unit.ghost()) connectors.push_back({*ghost, own_address, "", "", 1});
    }
    for (const CloudModel::Foreign& foreign : cloud_.foreign()) {
        connectors.push_back({foreign.connector, foreign.origin_ip, "", "", connections_full});
    }
    return connectors;
}

TunnelModel::ResultOf<CommitSecret> TunnelModel::act(const CommitSecret&) {
    if (!disk_.kept) return Error{Fault::missing, "no secret is kept", {}};
    return patch(disk_.kept->fresh);
}

Result<CommitSecret::Value> TunnelModel::patch(SecretId secret) {
    invariants_.secret_sent(secret);
    Chance& chance = shared_.chance;
    shared_.crash_point(phase(), true);
    if (auto fault = api_fault()) return *fault;
    if (chance.strikes(FaultKind::patch_late)) {
        cloud_.set_later(secret, now_ + chance.dice().between(seconds{1}, late_patch_max));
        return Error{Fault::ambiguous, "no answer in time", {}};
    }
    const bool lost = chance.strikes(FaultKind::patch_lost);
    if (lost && chance.dice().happens(answer_lost)) {
        return Error{Fault::ambiguous, "the connection was closed", {}};
    }
    cloud_.set(secret, now_);
    invariants_.after_effect();
    shared_.crash_point(phase(), false);
    if (lost) return Error{Fault::ambiguous, "the connection was closed", {}};
    CommitSecret::Value value;
    value.token_confirmed = chance.dice().happens(patch_answers_token);
    if (value.token_confirmed) {
        invariants_.token_told(secret);
    }
    return value;
}

// --- Token files and secrets ---------------------------------------------------------------------

Result<void> TunnelModel::stage(const std::string& rotation_id, SecretId token) {
    return disk_operation([&] { disk_.staged = DiskModel::Staged{rotation_id, token}; });
}

Result<void> TunnelModel::replace_file(const std::string& rotation_id, SecretId token) {
    const Result<void> staged = stage(rotation_id, token);
    if (!staged) return staged;
    return disk_operation([&] {
        disk_.token_file = token;
        invariants_.file_written();
        disk_.staged.reset();
    });
}

TunnelModel::ResultOf<CheckFiles> TunnelModel::act(const CheckFiles&) {
    if (shared_.disk.down(now_)) return Error{Fault::storage, "the disk is full", {}};
    invariants_.file_seen(now_);
    return CheckFiles::Value{fingerprint(disk_.token_file), false};
}

TunnelModel::ResultOf<PrepareSecret> TunnelModel::act(const PrepareSecret& action) {
    const Result<SecretId> current = read_api();
    if (!current) return current.error();
    const bool supersedes = !action.superseded.empty();
    const bool of_superseded =
        disk_.kept && supersedes && disk_.kept->rotation_id == action.superseded;
    const bool spent = disk_.kept && disk_.kept->fresh == disk_.kept->old;
    const bool reusable =
        disk_.kept && !of_superseded && !spent &&
        (supersedes || disk_.kept->old == *current || disk_.kept->fresh == *current);
    if (!reusable) {
        const SecretId fresh = next_secret_++;
        SecretId old = *current;
        if (of_superseded) {
            const bool in_file = disk_.token_file == disk_.kept->fresh;
            old = in_file ? disk_.kept->old : disk_.kept->fresh;
        }
        const auto kept = disk_operation([&] {
            disk_.kept = KeptSecrets{rotation_id(fresh), fresh, old};
        });
        if (!kept) return kept.error();
    }
    const KeptSecrets kept = *disk_.kept;
    const Result<void> staged = stage(kept.rotation_id, kept.fresh);
    if (!staged) return staged.error();
    const SecretId old = supersedes && kept.fresh != *current ? *current : kept.old;
    return PrepareSecret::Value{kept.rotation_id, fingerprint(old), fingerprint(kept.fresh)};
}

TunnelModel::ResultOf<DeliverToken> TunnelModel::act(const DeliverToken&) {
    if (!disk_.kept) return Error{Fault::missing, "no secret is kept", {}};
    const KeptSecrets kept = *disk_.kept;
    if (disk_.staged && disk_.staged->rotation_id == kept.rotation_id) {
        const Result<void> swapped = disk_operation([&] {
            disk_.token_file = disk_.staged->token;
            invariants_.file_written();
            disk_.staged.reset();
        });
        if (!swapped) return swapped.error();
    }
    if (disk_.token_file != kept.fresh) {
        const Result<void> replaced = replace_file(kept.rotation_id, kept.fresh);
        if (!replaced) return replaced.error();
    }
    return DeliverToken::Value{std::chrono::microseconds{400}};
}

TunnelModel::ResultOf<PutBackToken> TunnelModel::act(const PutBackToken&) {
    if (!disk_.kept) return Error{Fault::missing, "no secret is kept", {}};
    const KeptSecrets kept = *disk_.kept;
    return replace_file(kept.rotation_id, kept.old);
}

TunnelModel::ResultOf<TakeBackSecret> TunnelModel::act(const TakeBackSecret& action) {
    if (!disk_.kept) return Error{Fault::missing, "no secret is kept", {}};
    KeptSecrets kept = *disk_.kept;
    if (fingerprint(kept.fresh) != action.fingerprint) {
        std::swap(kept.fresh, kept.old);
        const Result<void> swapped = disk_operation([&] { disk_.kept = kept; });
        if (!swapped) return swapped;
    }
    return stage(kept.rotation_id, kept.fresh);
}

TunnelModel::ResultOf<WipeOldSecret> TunnelModel::act(const WipeOldSecret&) {
    if (!disk_.kept) return Error{Fault::missing, "no secret is kept", {}};
    return disk_operation([&] { disk_.kept->old = disk_.kept->fresh; });
}

TunnelModel::ResultOf<EvictConnector> TunnelModel::act(const EvictConnector& action) {
    if (auto fault = api_fault()) return *fault;
    invariants_.connector_evicted(action.id);
    effect([&] {
        cloud_.evict_foreign(action.id, now_);
        for (UnitModel& unit : units_) {
            const bool meant = action.id.empty() || unit.readiness().connector_id == action.id;
            if (meant) unit.drop_all();
        }
    });
    return Result<void>();
}

TunnelModel::ResultOf<KeepToken> TunnelModel::act(const KeepToken& action) {
    const Result<SecretId> theirs = read_api();
    if (!theirs) return theirs.error();
    if (fingerprint(*theirs) != action.fingerprint) {
        return KeepToken::Value{"", fingerprint(*theirs)};
    }
    // Ids of rotations without a secret of their own must not look like those of secrets.
    constexpr SecretId first_id = 1'000'000;
    const SecretId id = action.fresh_id ? first_id + next_rotation_++ : *theirs;
    KeptSecrets theirs_kept{rotation_id(id), *theirs, *theirs};
    if (disk_.kept) theirs_kept = KeptSecrets{disk_.kept->rotation_id, *theirs, disk_.kept->old};
    const Result<void> kept = disk_operation([&] { disk_.kept = theirs_kept; });
    if (!kept) return kept.error();
    const Result<void> staged = stage(theirs_kept.rotation_id, theirs_kept.fresh);
    if (!staged) return staged.error();
    return KeepToken::Value{theirs_kept.rotation_id, fingerprint(*theirs)};
}

TunnelModel::ResultOf<ForgetSecrets> TunnelModel::act(const ForgetSecrets&) {
    invariants_.secrets_forgotten();
    return disk_operation([&] {
        disk_.kept.reset();
        disk_.staged.reset();
    });
}

// --- State and time ------------------------------------------------------------------------------

TunnelModel::ResultOf<SaveRecord> TunnelModel::act(const SaveRecord& action) {
    return disk_operation([&] {
        disk_.record = action.record;
        invariants_.record_written();
    });
}

TunnelModel::ResultOf<Conclude> TunnelModel::act(const Conclude& action) {
    invariants_.concludes(action.entry);
    const Result<void> appended = disk_operation([&] {
        const bool known = !disk_.history.empty() &&
                           disk_.history.back().rotation_id == action.entry.rotation_id &&
                           disk_.history.back().outcome == action.entry.outcome;
        if (!known) disk_.history.push_back(action.entry);
    });
    if (!appended) return appended.error();
    TunnelState state;
    state.retired = disk_.retired;
    if (action.entry.changed_token()) {
        retire(state, action.entry.old_fingerprint, action.entry.new_fingerprint);
    }
    return disk_operation([&] {
        disk_.record.reset();
        disk_.retired = state.retired;
    });
}

TunnelModel::ResultOf<Wait> TunnelModel::act(const Wait&) {
    return Result<void>();
}

}  // namespace keyturn::simulation
