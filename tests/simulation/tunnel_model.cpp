#include "simulation/tunnel_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn::simulation {

namespace {

using std::chrono::seconds;

constexpr Milliseconds stop_and_start = seconds{50};
constexpr Milliseconds late_patch_max = seconds{60};
constexpr Milliseconds job_look = Milliseconds{500};

/// Half of the faults of a call come after it took effect: its answer is lost.
constexpr double answer_lost = 0.5;
/// How often a PATCH answer carries the token.
constexpr double patch_answers_token = 0.8;

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
    units_.reserve(policy_.units.size());
    for (const std::string& name : policy_.units) {
        const UnitSurroundings around{shared.chance, cloud_, disk_.token_file, shared.next_process};
        units_.emplace_back(name, policy_.tunnel, around, now);
    }
}

UnitModel& TunnelModel::unit(const std::string& name) {
    return *std::ranges::find(units_, name, &UnitModel::name);
}

void TunnelModel::advance(BootTime now) {
    now_ = now;
    cloud_.advance(now);
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
    }
}

void TunnelModel::rotate_foreign(BootTime now) {
    constexpr double old_one = 0.2;
    Dice& dice = shared_.chance.dice();
    const SecretId old = dice.between(1, next_secret_ - 1);
    cloud_.set_by_stranger(dice.happens(old_one) ? old : next_secret_++, now);
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
    cloud_.attach_foreign("somebody-else");
}

std::optional<Answer> TunnelModel::perform(const Action& action, BootTime now) {
    advance(now);
    return std::visit([this](const auto& asked) { return answer(asked); }, action);
}

template <class Asked>
std::optional<Answer> TunnelModel::answer(const Asked& action) {
    auto result = act(action);
    if (!result) return std::nullopt;
    return Answered<Asked>{std::move(*result)};
}

template <class Effect>
void TunnelModel::effect(Effect change) {
    shared_.crash_point(phase(), true);
    change();
    invariants_.after_effect();
    shared_.crash_point(phase(), false);
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
    return InspectTunnel::Value{false, "healthy"};
}

TunnelModel::ResultOf<ReadToken> TunnelModel::act(const ReadToken&) {
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
    ListConnectors::Value connectors;
    for (const UnitModel& unit : units_) {
        if (unit.listed()) {
            const Readiness ready = unit.readiness();
            connectors.push_back({ready.connector_id, "192.0.2.1", "", "", ready.connections});
        }
        if (auto ghost = unit.ghost()) connectors.push_back({*ghost, "192.0.2.1", "", "", 1});
    }
    for (const std::string& id : cloud_.foreign()) {
        connectors.push_back({id, "198.51.100.7", "", "", connections_full});
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

// --- Units ---------------------------------------------------------------------------------------

std::optional<Error> TunnelModel::bus_fault() {
    if (shared_.bus.down(now_) || shared_.chance.strikes(FaultKind::bus_call)) {
        return down("systemd");
    }
    return std::nullopt;
}

TunnelModel::ResultOf<InspectUnits> TunnelModel::act(const InspectUnits&) {
    if (auto fault = bus_fault()) return *fault;
    InspectUnits::Value value;
    for (const UnitModel& unit : units_) value.push_back({unit.name(), {}, stop_and_start});
    return value;
}

TunnelModel::ResultOf<SampleUnits> TunnelModel::act(const SampleUnits& action) {
    if (auto fault = bus_fault()) return *fault;
    SampleUnits::Value value;
    for (const std::string& name : action.names) {
        const UnitModel& sampled = unit(name);
        SampleUnits::Sample sample{sampled.state(), {}};
        if (sampled.running() && !shared_.chance.strikes(FaultKind::ready_silent)) {
            sample.readiness = sampled.readiness();
        }
        value.push_back(std::move(sample));
    }
    return value;
}

TunnelModel::ResultOf<RestartUnit> TunnelModel::act(const RestartUnit& action) {
    UnitModel& restarted = unit(action.unit);
    if (!job_begun_ && now_ > action.not_after) return Error{Fault::busy, "stood still", {}};
    if (!std::exchange(job_begun_, true)) {
        Chance& chance = shared_.chance;
        const bool down_now = shared_.bus.down(now_) || chance.strikes(FaultKind::bus_call);
        const bool denied = !down_now && chance.strikes(FaultKind::restart_denied);
        std::optional<Error> failure;
        if (denied) failure = Error{Fault::denied, "polkit does not allow it", {}};
        if (down_now) failure = down("systemd");
        const bool lost = down_now && chance.dice().happens(answer_lost);
        if (!failure || lost) {
            invariants_.unit_restarts(restarted, now_);
            Result<void> begun;
            effect([&] { begun = restarted.begin_restart(action.verb); });
            if (!failure && !begun) failure = begun.error();
        }
        if (failure) {
            job_begun_ = false;
            return *failure;
        }
    }
    const auto result = restarted.job_result();
    if (!result) {
        again_at_ = now_ + job_look;
        return std::nullopt;
    }
    job_begun_ = false;
    return *result;
}

// --- Token files and secrets ---------------------------------------------------------------------

template <class Change>
Result<void> TunnelModel::disk_operation(Change change) {
    Chance& chance = shared_.chance;
    const bool fails = shared_.disk.down(now_) || chance.strikes(FaultKind::disk_call);
    disk_.last_operation_failed = fails;
    const bool took_effect = !fails || chance.dice().happens(answer_lost);
    if (took_effect) effect(change);
    if (fails) return Error{Fault::storage, "the disk is full", {}};
    return {};
}

Result<void> TunnelModel::stage(const std::string& rotation_id, SecretId token) {
    return disk_operation([&] { disk_.staged = DiskModel::Staged{rotation_id, token}; });
}

Result<void> TunnelModel::replace_file(const std::string& rotation_id, SecretId token) {
    const Result<void> staged = stage(rotation_id, token);
    if (!staged) return staged;
    return disk_operation([&] {
        disk_.token_file = token;
        disk_.staged.reset();
    });
}

TunnelModel::ResultOf<CheckFiles> TunnelModel::act(const CheckFiles&) {
    if (shared_.disk.down(now_)) return Error{Fault::storage, "the disk is full", {}};
    return CheckFiles::Value{fingerprint(disk_.token_file), false};
}

TunnelModel::ResultOf<PrepareSecret> TunnelModel::act(const PrepareSecret&) {
    const Result<SecretId> current = read_api();
    if (!current) return current.error();
    const bool reusable =
        disk_.kept && (disk_.kept->old == *current || disk_.kept->fresh == *current);
    if (!reusable) {
        const SecretId fresh = next_secret_++;
        const auto kept = disk_operation([&] {
            disk_.kept = KeptSecrets{rotation_id(fresh), fresh, *current};
        });
        if (!kept) return kept.error();
    }
    const KeptSecrets kept = *disk_.kept;
    const Result<void> staged = stage(kept.rotation_id, kept.fresh);
    if (!staged) return staged.error();
    return PrepareSecret::Value{kept.rotation_id, fingerprint(kept.old), fingerprint(kept.fresh)};
}

TunnelModel::ResultOf<DeliverToken> TunnelModel::act(const DeliverToken&) {
    if (!disk_.kept) return Error{Fault::missing, "no secret is kept", {}};
    const KeptSecrets kept = *disk_.kept;
    if (disk_.staged && disk_.staged->rotation_id == kept.rotation_id) {
        const Result<void> swapped = disk_operation([&] {
            disk_.token_file = disk_.staged->token;
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

TunnelModel::ResultOf<AdoptToken> TunnelModel::act(const AdoptToken& action) {
    const Result<SecretId> theirs = read_api();
    if (!theirs) return theirs.error();
    if (fingerprint(*theirs) != action.fingerprint) {
        return AdoptToken::Value{"", fingerprint(*theirs)};
    }
    KeptSecrets adopted{rotation_id(*theirs), *theirs, *theirs};
    if (disk_.kept) adopted = KeptSecrets{disk_.kept->rotation_id, *theirs, disk_.kept->old};
    const Result<void> kept = disk_operation([&] { disk_.kept = adopted; });
    if (!kept) return kept.error();
    const Result<void> staged = stage(adopted.rotation_id, adopted.fresh);
    if (!staged) return staged.error();
    return AdoptToken::Value{adopted.rotation_id, fingerprint(*theirs)};
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
    return disk_operation([&] { disk_.record = action.record; });
}

TunnelModel::ResultOf<Conclude> TunnelModel::act(const Conclude& action) {
    const Result<void> appended = disk_operation([&] {
        const bool known = !disk_.history.empty() &&
                           disk_.history.back().rotation_id == action.entry.rotation_id &&
                           disk_.history.back().outcome == action.entry.outcome;
        if (!known) disk_.history.push_back(action.entry);
    });
    if (!appended) return appended.error();
    TunnelState state;
    state.retired = disk_.retired;
    if (action.entry.outcome != "refused") {
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
