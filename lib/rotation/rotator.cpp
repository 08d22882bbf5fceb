#include "rotation/rotator.hpp"

#include "base/invariant.hpp"
#include "cloudflare/tunnel_api.hpp"
#include "cloudflared/connectors.hpp"
#include "delivery/token_store.hpp"
#include "rotation/unit_inspection.hpp"
#include "state/state_store.hpp"
#include "time/clock.hpp"
#include "token/random.hpp"
#include "units/unit_manager.hpp"

#include <fmt/format.h>

#include <utility>

namespace keyturn {

namespace {

TunnelRef ref_of(const TunnelPolicy& policy) {
    return TunnelRef{policy.account, policy.tunnel};
}

/// Both kept tokens, decoded.
struct KeptTokens {
    std::string rotation_id;
    TunnelToken fresh;
    TunnelToken old;
};

Result<std::optional<KeptTokens>> kept_tokens(TokenStore& tokens, const TunnelPolicy& policy) {
    const Result<std::optional<PendingTokens>> pending = tokens.pending(policy.name);
    if (!pending) return pending.error();
    if (!*pending) return std::optional<KeptTokens>();
    Result<TunnelToken> fresh = decode_token((*pending)->new_token.reveal());
    if (!fresh) return with_context("the kept new token", fresh.error());
    Result<TunnelToken> old = decode_token((*pending)->old_token.reveal());
    if (!old) return with_context("the kept old token", old.error());
    if (fresh->tunnel != policy.tunnel) {
        return Error{Fault::invalid,
                     "an open rotation is of another tunnel id than the policy names now; put "
                     "`tunnel:` back until it is done",
                     {}};
    }
    return std::optional<KeptTokens>(
        KeptTokens{(*pending)->rotation_id, std::move(*fresh), std::move(*old)});
}

Error nothing_kept() {
    return Error{
        Fault::missing, "the secrets of the open rotation are gone from the state directory", {}};
}

}  // namespace

Rotator::Rotator(const TunnelPolicy& policy, TunnelState& state, Boundaries world)
    : policy_(policy), state_(state), world_(world) {}

template <class Asked>
Task<Answer> Rotator::answer(const Asked& action) {
    auto result = co_await act(action);
    Answered<Asked> answered{std::move(result)};
    co_return Answer(std::move(answered));
}

Task<Answer> Rotator::perform(const Action& action) {
    return std::visit([this](const auto& asked) { return answer(asked); }, action);
}

// --- Cloudflare ----------------------------------------------------------------------------------

Task<Result<TunnelToken>> Rotator::api_token() {
    TunnelRef ref = ref_of(policy_);
    auto answer = co_await world_.api.get_token(std::move(ref));
    if (!answer) co_return answer.error();
    api_time_ = answer->server_time;
    auto token = decode_token(answer->token.reveal());
    if (!token) co_return with_context("Cloudflare's token", token.error());
    if (token->tunnel != policy_.tunnel) {
        co_return Error{Fault::invalid, "Cloudflare answered with the token of another tunnel", {}};
    }
    co_return token;
}

Task<Result<InspectTunnel::Value>> Rotator::act(const InspectTunnel&) {
    TunnelRef ref = ref_of(policy_);
    const auto facts = co_await world_.api.get_tunnel(std::move(ref));
    if (!facts) co_return facts.error();
    InspectTunnel::Value value;
    value.deleted = facts->deleted;
    value.status = facts->status;
    co_return value;
}

Task<Result<ReadToken::Value>> Rotator::act(const ReadToken&) {
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
    co_return value;
}

Task<Result<ListConnectors::Value>> Rotator::act(const ListConnectors&) {
    TunnelRef ref = ref_of(policy_);
    auto connectors = co_await world_.api.list_connectors(std::move(ref));
    co_return connectors;
}

Task<Result<CommitSecret::Value>> Rotator::act(const CommitSecret&) {
    const auto kept = kept_tokens(world_.tokens, policy_);
    if (!kept) co_return kept.error();
    if (!*kept) co_return nothing_kept();
    TunnelRef ref = ref_of(policy_);
    const Secret secret = encode_secret((*kept)->fresh.secret);
    const auto answer = co_await world_.api.patch_secret(std::move(ref), secret);
    if (!answer) co_return answer.error();
    committed_ = world_.clock.stopwatch();
    CommitSecret::Value value;
    if (*answer) {
        const auto token = decode_token((*answer)->reveal());
        value.token_confirmed = token && same_token(*token, (*kept)->fresh);
    }
    co_return value;
}

// --- Units ---------------------------------------------------------------------------------------

Task<Result<InspectUnits::Unit>> Rotator::inspect(std::string unit) {
    InspectUnits::Unit inspected;
    inspected.name = unit;
    const auto settings = co_await world_.units.settings(unit);
    if (settings) {
        inspected.problem = unit_problem(*settings, world_.tokens.path(policy_.name));
        inspected.stop_and_start = settings->stop_timeout + settings->start_timeout;
    } else if (settings.error().fault != Fault::missing) {
        co_return settings.error();
    }
    co_return inspected;
}

Task<Result<InspectUnits::Value>> Rotator::act(const InspectUnits&) {
    std::vector<std::string> patterns = policy_.units;
    const auto names = co_await world_.units.expand(std::move(patterns));
    if (!names) co_return names.error();
    InspectUnits::Value value;
    for (const std::string& name : *names) {
        auto unit = co_await inspect(name);
        if (!unit) co_return unit.error();
        value.push_back(std::move(*unit));
    }
    co_return value;
}

Task<Result<SampleUnits::Sample>> Rotator::sample(std::string unit) {
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
    if (!sampled.state.running()) co_return sampled;
    const auto readiness = co_await world_.connectors.readiness(sampled.state);
    if (readiness) sampled.readiness = *readiness;
    co_return sampled;
}

Task<Result<SampleUnits::Value>> Rotator::act(const SampleUnits& action) {
    SampleUnits::Value value;
    for (const std::string& name : action.names) {
        auto sampled = co_await sample(name);
        if (!sampled) co_return sampled.error();
        value.push_back(std::move(*sampled));
    }
    co_return value;
}

Task<Result<JobResult>> Rotator::act(const RestartUnit& action) {
    if (world_.clock.boot_now() > action.not_after) {
        co_return Error{Fault::busy, "this process stood still since the units were looked at", {}};
    }
    const auto result = co_await world_.units.restart(action.unit, action.verb, action.deadline);
    co_return result;
}

// --- Token files and secrets ---------------------------------------------------------------------

Task<Result<CheckFiles::Value>> Rotator::act(const CheckFiles&) {
    const auto checked = world_.tokens.check(policy_.name);
    if (!checked) co_return checked.error();
    const auto token = delivered_token();
    if (!token) co_return token.error();
    CheckFiles::Value value;
    if (!*token) co_return value;
    value.fingerprint = fingerprint_of(**token);
    value.other_tunnel = (*token)->tunnel != policy_.tunnel;
    co_return value;
}

Result<TunnelToken> Rotator::make_token(const TunnelToken& current) {
    Result<Secret> bytes = world_.random.bytes(secret_size_min);
    if (!bytes) return bytes.error();
    return TunnelToken{current.account, current.tunnel, std::move(*bytes), current.endpoint};
}

Task<Result<PrepareSecret::Value>> Rotator::act(const PrepareSecret&) {
    const auto current = co_await api_token();
    if (!current) co_return current.error();
    auto kept = kept_tokens(world_.tokens, policy_);
    if (!kept) co_return kept.error();
    const bool reusable =
        *kept && (same_token((*kept)->old, *current) || same_token((*kept)->fresh, *current));
    if (!reusable) {
        auto fresh = make_token(*current);
        if (!fresh) co_return fresh.error();
        PendingTokens pending;
        pending.rotation_id = rotation_id_of(*fresh);
        pending.new_token = encode_token(*fresh);
        pending.old_token = encode_token(*current);
        const auto saved = world_.tokens.keep_pending(policy_.name, pending);
        if (!saved) co_return saved.error();
        kept = kept_tokens(world_.tokens, policy_);
        if (!kept) co_return kept.error();
    }
    invariant(kept->has_value(), "what was just kept is there");
    const Secret text = encode_token((*kept)->fresh);
    const auto staged = world_.tokens.stage(policy_.name, (*kept)->rotation_id, text);
    if (!staged) co_return staged.error();
    PrepareSecret::Value value;
    value.rotation_id = (*kept)->rotation_id;
    value.old_fingerprint = fingerprint_of((*kept)->old);
    value.new_fingerprint = fingerprint_of((*kept)->fresh);
    co_return value;
}

Result<void> Rotator::replace_file(const std::string& rotation_id, const Secret& token) {
    if (const auto staged = world_.tokens.stage(policy_.name, rotation_id, token); !staged) {
        return staged.error();
    }
    return world_.tokens.swap_in(policy_.name, rotation_id);
}

/// Nothing where there is no file, and where it holds what units cannot run on.
Result<std::optional<TunnelToken>> Rotator::delivered_token() {
    const auto current = world_.tokens.current(policy_.name);
    if (!current) return current.error();
    if (!*current) return std::optional<TunnelToken>();
    Result<TunnelToken> token = decode_token((*current)->reveal());
    if (!token) return std::optional<TunnelToken>();
    return std::optional<TunnelToken>(std::move(*token));
}

Result<bool> Rotator::file_holds(const TunnelToken& token) {
    const auto delivered = delivered_token();
    if (!delivered) return delivered.error();
    return *delivered && same_token(**delivered, token);
}

Task<Result<DeliverToken::Value>> Rotator::act(const DeliverToken&) {
    const auto kept = kept_tokens(world_.tokens, policy_);
    if (!kept) co_return kept.error();
    if (!*kept) co_return nothing_kept();
    DeliverToken::Value value;
    const auto swapped = world_.tokens.swap_in(policy_.name, (*kept)->rotation_id);
    if (swapped && committed_) value.since_commit = world_.clock.stopwatch() - *committed_;
    committed_.reset();
    if (!swapped && swapped.error().fault != Fault::missing) co_return swapped.error();
    // What was staged may be of an earlier step that a crash cut short: the content decides.
    const auto delivered = file_holds((*kept)->fresh);
    if (!delivered) co_return delivered.error();
    if (!*delivered) {
        const Secret text = encode_token((*kept)->fresh);
        const auto replaced = replace_file((*kept)->rotation_id, text);
        if (!replaced) co_return replaced.error();
    }
    co_return value;
}

Task<Result<void>> Rotator::act(const PutBackToken&) {
    const auto kept = kept_tokens(world_.tokens, policy_);
    if (!kept) co_return kept.error();
    if (!*kept) co_return nothing_kept();
    const Secret text = encode_token((*kept)->old);
    co_return replace_file((*kept)->rotation_id, text);
}

Task<Result<AdoptToken::Value>> Rotator::act(const AdoptToken& action) {
    const auto theirs = co_await api_token();
    if (!theirs) co_return theirs.error();
    AdoptToken::Value value;
    value.fingerprint = fingerprint_of(*theirs);
    if (value.fingerprint != action.fingerprint) co_return value;
    const auto kept = kept_tokens(world_.tokens, policy_);
    if (!kept) co_return kept.error();
    PendingTokens pending;
    pending.rotation_id = *kept ? (*kept)->rotation_id : rotation_id_of(*theirs);
    pending.new_token = encode_token(*theirs);
    pending.old_token = encode_token(*kept ? (*kept)->old : *theirs);
    const auto saved = world_.tokens.keep_pending(policy_.name, pending);
    if (!saved) co_return saved.error();
    const auto staged = world_.tokens.stage(policy_.name, pending.rotation_id, pending.new_token);
    if (!staged) co_return staged.error();
    value.rotation_id = pending.rotation_id;
    co_return value;
}

Task<Result<void>> Rotator::act(const ForgetSecrets&) {
    const auto forgotten = world_.tokens.forget_pending(policy_.name);
    if (!forgotten) co_return forgotten.error();
    world_.tokens.sweep(policy_.name, "");
    co_return Result<void>();
}

Result<Fingerprint> Rotator::delivered_fingerprint() {
    const auto token = delivered_token();
    if (!token) return token.error();
    return *token ? fingerprint_of(**token) : Fingerprint();
}

Task<Result<void>> Rotator::seed_token_file() {
    const auto present = world_.tokens.current(policy_.name);
    if (!present) co_return present.error();
    if (*present) co_return Result<void>();
    const auto current = co_await api_token();
    if (!current) co_return current.error();
    const Secret text = encode_token(*current);
    co_return replace_file(rotation_id_of(*current), text);
}

// --- State and time ------------------------------------------------------------------------------

Task<Result<void>> Rotator::act(const SaveRecord& action) {
    state_.rotation = action.record;
    co_return world_.states.save(policy_.name, state_);
}

Task<Result<void>> Rotator::act(const Conclude& action) {
    const auto appended = world_.states.append_history(policy_.name, action.entry);
    if (!appended) co_return appended.error();
    TunnelState concluded = state_;
    concluded.rotation.reset();
    if (action.entry.outcome == "done") concluded.last_done = action.entry.ended;
    if (action.entry.outcome != "refused") {
        retire(concluded, action.entry.old_fingerprint, action.entry.new_fingerprint);
    }
    const auto saved = world_.states.save(policy_.name, concluded);
    if (!saved) co_return saved.error();
    state_ = concluded;
    world_.api.rest();
    co_return Result<void>();
}

Task<Result<void>> Rotator::act(const Wait& action) {
    co_await world_.clock.sleep_until(action.until);
    co_return Result<void>();
}

}  // namespace keyturn
