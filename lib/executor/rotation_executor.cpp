#include "executor/rotation_executor.hpp"

#include "asio/side_by_side.hpp"
#include "base/invariant.hpp"
#include "clock/clock.hpp"
#include "cloudflared/connectors.hpp"
#include "delivery/token_store.hpp"
#include "executor/by_kind.hpp"
#include "executor/kept_tokens.hpp"
#include "rotation/preflight.hpp"
#include "rotation/verification.hpp"
#include "state/state_store.hpp"
#include "token/random.hpp"
#include "units/unit_manager.hpp"

#include <utility>

namespace keyturn {

namespace {

/// Each needs its own connection, and a tunnel has at most 25 replicas (Cloudflare's
/// documentation).
constexpr std::size_t units_sampled_at_once_max = 32;

template <class T>
Task<> keep(Task<T> work, std::optional<T>& into) {
    into.emplace(co_await std::move(work));
}

}  // namespace

RotationExecutor::RotationExecutor(const TunnelPolicy& policy, TunnelState& state,
                                   Dependencies world)
    : policy_(policy), tunnel_{policy.account, policy.tunnel}, state_(state), world_(world) {}

Task<Answer> RotationExecutor::perform(const Action& action) {
    return ByKind::perform(*this, action);
}

// --- Cloudflare ----------------------------------------------------------------------------------

Task<Result<TunnelToken>> RotationExecutor::api_token() {
    auto answer = co_await world_.api.get_token(tunnel_);
    if (!answer) co_return answer.error();
    api_time_ = answer->server_time;
    auto token = decode_token(answer->token.reveal());
    if (!token) co_return with_context("Cloudflare's token", token.error());
    if (token->tunnel != policy_.tunnel) {
        co_return Error{Fault::invalid, "Cloudflare answered with the token of another tunnel"};
    }
    if (token->account != policy_.account) {
        co_return Error{Fault::invalid, "Cloudflare answered with the token of another account"};
    }
    co_return token;
}

Task<Result<InspectTunnel::Value>> RotationExecutor::act(const InspectTunnel&) {
    const auto facts = co_await world_.api.get_tunnel(tunnel_);
    if (!facts) co_return facts.error();
    co_return InspectTunnel::Value{facts->deleted};
}

Task<Result<ReadToken::Value>> RotationExecutor::act(const ReadToken&) {
    const auto token = co_await api_token();
    if (!token) co_return token.error();
    const auto kept = kept_tokens(world_.tokens, policy_);
    if (!kept) co_return kept.error();
    ReadToken::Value value;
    value.fingerprint = fingerprint_of(*token);
    if (*kept && same_token(*token, (*kept)->fresh)) {
        value.holder = ReadToken::Holder::ours;
    } else if (*kept && same_token(*token, (*kept)->old)) {
        value.holder = ReadToken::Holder::previous;
    }
    if (api_time_) value.clock_ahead = world_.clock.wall_now() - *api_time_;
    const Milliseconds ahead = value.clock_ahead.value_or(Milliseconds{0});
    clock_error_ = std::chrono::abs(ahead) > clock_error_max ? ahead : Milliseconds{0};
    co_return value;
}

Task<Result<ListConnectors::Value>> RotationExecutor::act(const ListConnectors&) {
    co_return co_await world_.api.list_connectors(tunnel_);
}

Task<Result<CommitSecret::Value>> RotationExecutor::act(const CommitSecret&) {
    const auto kept = needed_tokens(world_.tokens, policy_);
    if (!kept) co_return kept.error();
    const Secret secret = encode_secret(kept->fresh.secret);
    const auto answer = co_await world_.api.patch_secret(tunnel_, secret);
    if (!answer) co_return answer.error();
    committed_ = Commit{world_.clock.stopwatch(), kept->rotation_id};
    CommitSecret::Value value;
    if (*answer) {
        const auto token = decode_token((*answer)->reveal());
        value.token_confirmed = token && same_token(*token, kept->fresh);
    }
    co_return value;
}

Task<Result<void>> RotationExecutor::act(const EvictConnector& action) {
    co_return co_await world_.api.evict(tunnel_, action.id);
}

// --- Units ---------------------------------------------------------------------------------------

Task<Result<SampleUnits::Sample>> RotationExecutor::sample(std::string unit) {
    SampleUnits::Sample sampled;
    const auto state = co_await world_.units.state(unit);
    if (state) {
        sampled.state = *state;
    } else if (state.error().fault == Fault::missing) {
        sampled.state.name = unit;
        sampled.state.load_state = "not-found";
    } else {
        co_return state.error();
    }
    if (!sampled.state.running()) {
        sampled.unasked = "systemd shows it without a main process";
        co_return sampled;
    }
    const auto readiness = co_await world_.connectors.readiness(sampled.state);
    if (readiness) {
        sampled.readiness = *readiness;
    } else {
        sampled.unasked = readiness.error().text;
    }
    co_return sampled;
}

/// Asks units at the same time, so that a slow unit does not make the other samples older.
Task<Result<SampleUnits::Value>> RotationExecutor::act(const SampleUnits& action) {
    std::vector<std::optional<Result<SampleUnits::Sample>>> samples(action.names.size());
    PiecesOfWork looks;
    looks.count = action.names.size();
    looks.perform = [&](std::size_t index) {
        return keep(sample(action.names[index]), samples[index]);
    };
    co_await perform_side_by_side(looks, units_sampled_at_once_max);
    SampleUnits::Value value;
    for (auto& sampled : samples) {
        if (!*sampled) co_return sampled->error();
        value.push_back(std::move(**sampled));
    }
    forget_shared_answers(value);
    co_return value;
}

Result<void> RotationExecutor::check_age(BootTime not_after) const {
    if (world_.clock.boot_now() <= not_after) return {};
    return Error{Fault::busy, "keyturnd was stopped for a while after it checked the units"};
}

Task<Result<RestartResult>> RotationExecutor::act(const RestartUnit& action) {
    if (const auto age = check_age(action.not_after); !age) co_return age.error();
    co_return co_await world_.units.restart(action.unit, action.verb, action.deadline);
}

Task<Result<JobResult>> RotationExecutor::act(const StopUnit& action) {
    if (const auto age = check_age(action.not_after); !age) co_return age.error();
    co_return co_await world_.units.stop(action.unit, action.deadline);
}

// --- State and time ------------------------------------------------------------------------------

Task<Result<void>> RotationExecutor::act(const SaveRecord& action) {
    state_.rotation = action.record;
    co_return world_.states.save(policy_.name, state_);
}

Task<Result<void>> RotationExecutor::act(const Conclude& action) {
    const auto appended = world_.states.append_history(policy_.name, action.entry);
    if (!appended) co_return appended.error();
    TunnelState concluded = state_;
    concluded.rotation.reset();
    // The next due time must not depend on a clock that is wrong today.
    if (action.entry.outcome == Outcome::done)
        concluded.last_done = action.entry.ended - clock_error_;
    if (action.entry.changed_token()) {
        retire(concluded, action.entry.old_fingerprint, action.entry.new_fingerprint);
    }
    const auto saved = world_.states.save(policy_.name, concluded);
    if (!saved) co_return saved.error();
    state_ = concluded;
    co_return Result<void>();
}

Task<Result<void>> RotationExecutor::act(const Wait& action) {
    co_await world_.clock.sleep_until(action.until);
    co_return Result<void>();
}

}  // namespace keyturn
