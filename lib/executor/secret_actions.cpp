// The actions of the shell that deal with secrets, token files and kept tokens.

#include "base/invariant.hpp"
#include "clock/clock.hpp"
#include "delivery/token_store.hpp"
#include "executor/kept_tokens.hpp"
#include "executor/rotation_executor.hpp"
#include "token/random.hpp"

#include <utility>

namespace keyturn {

Task<Result<CheckFiles::Value>> RotationExecutor::act(const CheckFiles&) {
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

Result<TunnelToken> RotationExecutor::make_token(const TunnelToken& current) {
    Result<Secret> bytes = world_.random.bytes(secret_size_min);
    if (!bytes) return bytes.error();
    return TunnelToken{current.account, current.tunnel, std::move(*bytes), current.endpoint};
}

Result<void> RotationExecutor::keep_tokens(const std::string& rotation_id, const TunnelToken& fresh,
                                           const TunnelToken& old) {
    const PendingTokens pending{rotation_id, encode_token(fresh), encode_token(old)};
    return world_.tokens.keep_pending(policy_.name, pending);
}

Task<Result<PrepareSecret::Value>> RotationExecutor::act(const PrepareSecret& action) {
    const auto current = co_await api_token();
    if (!current) co_return current.error();
    auto kept = kept_tokens(world_.tokens, policy_);
    if (!kept) co_return kept.error();
    const bool supersedes = !action.superseded.empty();
    const bool of_superseded = *kept && supersedes && (*kept)->rotation_id == action.superseded;
    // If the old token was wiped, the rotation is over: its record was lost, or an older record is
    // back.
    const bool spent = *kept && same_token((*kept)->fresh, (*kept)->old);
    const bool reusable =
        *kept && !of_superseded && !spent &&
        (supersedes || same_token((*kept)->old, *current) || same_token((*kept)->fresh, *current));
    if (!reusable) {
        auto fresh = make_token(*current);
        if (!fresh) co_return fresh.error();
        const TunnelToken* old = &*current;
        if (of_superseded) {
            // The API has one of the two kept tokens, and may still show the other. One of them is
            // also in the token file. This keeps the one that would otherwise be nowhere.
            const auto in_file = file_holds((*kept)->fresh);
            if (!in_file) co_return in_file.error();
            old = *in_file ? &(*kept)->old : &(*kept)->fresh;
        }
        const auto saved = keep_tokens(rotation_id_of(*fresh), *fresh, *old);
        if (!saved) co_return saved.error();
        kept = kept_tokens(world_.tokens, policy_);
        if (!kept) co_return kept.error();
    }
    invariant(kept->has_value(), "tokens that were just kept must be there");
    const Secret text = encode_token((*kept)->fresh);
    const auto staged = world_.tokens.stage(policy_.name, (*kept)->rotation_id, text);
    if (!staged) co_return staged.error();
    PrepareSecret::Value value;
    value.rotation_id = (*kept)->rotation_id;
    const bool shown = supersedes && !same_token((*kept)->fresh, *current);
    value.old_fingerprint = fingerprint_of(shown ? *current : (*kept)->old);
    value.new_fingerprint = fingerprint_of((*kept)->fresh);
    co_return value;
}

Result<void> RotationExecutor::replace_file(const std::string& rotation_id,
                                            const TunnelToken& token) {
    const auto staged = world_.tokens.stage(policy_.name, rotation_id, encode_token(token));
    if (!staged) return staged.error();
    return world_.tokens.swap_in(policy_.name, rotation_id);
}

/// Nothing if there is no file, or if units cannot run on its content.
Result<std::optional<TunnelToken>> RotationExecutor::delivered_token() {
    const auto current = world_.tokens.current(policy_.name);
    if (!current) return current.error();
    if (!*current) return std::optional<TunnelToken>();
    Result<TunnelToken> token = decode_token((*current)->reveal());
    if (!token) return std::optional<TunnelToken>();
    return std::optional<TunnelToken>(std::move(*token));
}

Result<bool> RotationExecutor::file_holds(const TunnelToken& token) {
    const auto delivered = delivered_token();
    if (!delivered) return delivered.error();
    return *delivered && same_token(**delivered, token);
}

Task<Result<DeliverToken::Value>> RotationExecutor::act(const DeliverToken&) {
    DeliverToken::Value value;
    // First of all, because until then no file holds the token that Cloudflare accepts.
    const std::optional<Commit> commit = std::exchange(committed_, std::nullopt);
    const bool swapped = commit && world_.tokens.swap_in(policy_.name, commit->rotation_id);
    if (swapped) value.since_commit = world_.clock.stopwatch() - commit->answered;
    const auto kept = needed_tokens(world_.tokens, policy_);
    if (!kept) co_return kept.error();
    if (!swapped) {
        const auto late = world_.tokens.swap_in(policy_.name, kept->rotation_id);
        if (!late && late.error().fault != Fault::missing) co_return late.error();
    }
    // The staged file may be from an earlier step that a crash cut short, so the content decides.
    const auto delivered = file_holds(kept->fresh);
    if (!delivered) co_return delivered.error();
    if (!*delivered) {
        const auto replaced = replace_file(kept->rotation_id, kept->fresh);
        if (!replaced) co_return replaced.error();
    }
    co_return value;
}

Task<Result<void>> RotationExecutor::act(const PutBackToken&) {
    const auto kept = needed_tokens(world_.tokens, policy_);
    if (!kept) co_return kept.error();
    co_return replace_file(kept->rotation_id, kept->old);
}

Task<Result<void>> RotationExecutor::act(const TakeBackSecret& action) {
    const auto kept = needed_tokens(world_.tokens, policy_);
    if (!kept) co_return kept.error();
    const bool exchanged = fingerprint_of(kept->fresh) == action.fingerprint;
    if (!exchanged && fingerprint_of(kept->old) != action.fingerprint) {
        co_return Error{Fault::missing, "keyturnd no longer has the old token"};
    }
    if (!exchanged) {
        const auto saved = keep_tokens(kept->rotation_id, kept->old, kept->fresh);
        if (!saved) co_return saved.error();
    }
    const Secret text = encode_token(exchanged ? kept->fresh : kept->old);
    co_return world_.tokens.stage(policy_.name, kept->rotation_id, text);
}

Task<Result<void>> RotationExecutor::act(const WipeOldSecret&) {
    const auto kept = needed_tokens(world_.tokens, policy_);
    if (!kept) co_return kept.error();
    co_return keep_tokens(kept->rotation_id, kept->fresh, kept->fresh);
}

Task<Result<KeepToken::Value>> RotationExecutor::act(const KeepToken& action) {
    const auto theirs = co_await api_token();
    if (!theirs) co_return theirs.error();
    KeepToken::Value value;
    value.fingerprint = fingerprint_of(*theirs);
    if (value.fingerprint != action.fingerprint) co_return value;
    const auto kept = kept_tokens(world_.tokens, policy_);
    if (!kept) co_return kept.error();
    std::string rotation_id = *kept ? (*kept)->rotation_id : rotation_id_of(*theirs);
    if (!*kept && action.fresh_id) {
        const auto another = make_token(*theirs);
        if (!another) co_return another.error();
        rotation_id = rotation_id_of(*another);
    }
    const auto saved = keep_tokens(rotation_id, *theirs, *kept ? (*kept)->old : *theirs);
    if (!saved) co_return saved.error();
    const Secret text = encode_token(*theirs);
    const auto staged = world_.tokens.stage(policy_.name, rotation_id, text);
    if (!staged) co_return staged.error();
    value.rotation_id = rotation_id;
    co_return value;
}

Task<Result<void>> RotationExecutor::act(const ForgetSecrets&) {
    const auto forgotten = world_.tokens.forget_pending(policy_.name);
    if (!forgotten) co_return forgotten.error();
    world_.tokens.sweep({policy_.name});
    co_return Result<void>();
}

Result<Fingerprint> RotationExecutor::delivered_fingerprint() {
    const auto token = delivered_token();
    if (!token) return token.error();
    return *token ? fingerprint_of(**token) : Fingerprint();
}

std::string RotationExecutor::kept_rotation() {
    const auto pending = world_.tokens.pending(policy_.name);
    return pending && *pending ? (*pending)->rotation_id : std::string();
}

Fingerprint RotationExecutor::replaced_fingerprint(const Fingerprint& delivered) {
    const auto kept = kept_tokens(world_.tokens, policy_);
    if (!kept || !*kept || fingerprint_of((*kept)->fresh) != delivered) return {};
    const Fingerprint old = fingerprint_of((*kept)->old);
    return old == delivered ? Fingerprint() : old;
}

Task<Result<void>> RotationExecutor::seed_token_file() {
    const auto present = world_.tokens.current(policy_.name);
    if (!present) co_return present.error();
    if (*present) co_return Result<void>();
    const auto current = co_await api_token();
    if (!current) co_return current.error();
    co_return replace_file(rotation_id_of(*current), *current);
}

Task<Result<void>> RotationExecutor::deliver_again(Fingerprint expected) {
    const auto current = co_await api_token();
    if (!current) co_return current.error();
    if (fingerprint_of(*current) != expected) {
        co_return Error{Fault::conflict, "Cloudflare's token has just changed"};
    }
    co_return replace_file(rotation_id_of(*current), *current);
}

}  // namespace keyturn
