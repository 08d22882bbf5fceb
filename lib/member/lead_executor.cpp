#include "member/lead_executor.hpp"

#include "clock/clock.hpp"
#include "executor/by_kind.hpp"
#include "fleet/operator_transitions.hpp"
#include "fleet/take_over_watch.hpp"
#include "model/unit_command.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace keyturn {

namespace {

/// A store that fails is waited for, whatever the reason: the rotation itself is all right, and
/// where it would hold, it could not write that down either.
Error waited_for(Error error) {
    if (error.fault == Fault::busy || error.fault == Fault::ambiguous) return error;
    error.fault = error.fault == Fault::conflict ? Fault::busy : Fault::unreachable;
    return error;
}

}  // namespace

LeadExecutor::LeadExecutor(const TunnelPolicy& policy, TunnelState& state, Dependencies world,
                           Fleet& fleet, FleetTokens& tokens, Leading& leading, FleetTimes times)
    : policy_(policy),
      state_(state),
      world_(world),
      fleet_(fleet),
      tokens_(tokens),
      leading_(leading),
      times_(times),
      local_(policy, state, world) {}

Task<Answer> LeadExecutor::perform(const Action& action) {
    return ByKind::perform(*this, action);
}

// --- The shared object ---------------------------------------------------------------------------

Task<Result<FleetDocument>> LeadExecutor::change(FleetTransition transition) {
    auto changed = co_await fleet_.change(std::move(transition), false);
    if (changed) co_return changed;
    Error error = changed.error();
    if (error.fault == Fault::deposed) error = co_await stand_down(std::move(error));
    co_return waited_for(std::move(error));
}

/// The same for a caller who does not need what the object has then.
Task<Result<void>> LeadExecutor::write(FleetTransition transition) {
    const auto written = co_await change(std::move(transition));
    if (!written) co_return written.error();
    co_return Result<void>();
}

/// Another host leads: waits to be ended.
Task<Error> LeadExecutor::stand_down(Error error) {
    leading_.lead.reset();
    leading_.deposed();
    const BootTime never = BootTime::max();
    co_await world_.clock.sleep_until(never);
    co_return error;
}

Task<Result<void>> LeadExecutor::look_if_older(Milliseconds age) {
    if (fleet_.seen() && world_.clock.boot_now() - fleet_.seen_at() < age) {
        co_return Result<void>();
    }
    auto seen = co_await fleet_.look();
    if (!seen) co_return waited_for(seen.error());
    co_return Result<void>();
}

/// Looks until this is so, as long as hosts have for what takes them a moment.
Task<> LeadExecutor::look_until(std::function<bool()> so) {
    const BootTime until = world_.clock.boot_now() + times_.take;
    while (!so() && world_.clock.boot_now() < until) {
        const BootTime next = world_.clock.boot_now() + times_.hasty_look;
        co_await world_.clock.sleep_until(next);
        static_cast<void>(co_await fleet_.look());
    }
}

/// What the object has told until now, on a clock that stands still while it cannot be read: a
/// store that is down is no silence of the hosts.
BootTime LeadExecutor::watched_until() {
    const BootTime seen = fleet_.seen_at();
    const Milliseconds gap = seen - watched_at_.value_or(seen);
    if (gap > times_.take_over_gap) blind_for_ += gap;
    watched_at_ = seen;
    return seen - blind_for_;
}

/// Before something at Cloudflare changes. A host that was stopped for a while may have been
/// deposed meanwhile.
Task<Result<void>> LeadExecutor::make_sure_to_lead() {
    const auto seen = co_await look_if_older(times_.lead_age);
    if (!seen) co_return seen.error();
    const std::optional<Leadership>& lead = leading_.lead;
    if (lead && fleet_.seen()->led_by(lead->host, lead->epoch)) co_return Result<void>();
    const Error deposed{Fault::deposed, "another host leads the rotation", {}};
    co_return co_await stand_down(deposed);
}

/// Several hosts that are due at the same time do not disturb each other.
Task<> LeadExecutor::let_others_begin() {
    if (!state_.rotation->request.scheduled || !fleet_.seen()) co_return;
    const int rank = rank_of(*fleet_.seen(), fleet_.host());
    const BootTime turn = world_.clock.boot_now() + rank * times_.start_rank;
    // An order is about this rotation, or more urgent.
    while (world_.clock.boot_now() < turn && !fleet_.seen()->order.open()) {
        const BootTime next = world_.clock.boot_now() + times_.hasty_look;
        co_await world_.clock.sleep_until(next);
    }
}

Task<Result<void>> LeadExecutor::begin() {
    co_await let_others_begin();
    const std::string host = fleet_.host();
    const std::uint64_t order = leading_.obeyed;
    FleetTransition beginning = [host, order, state = state_,
                                 rules = policy_.rollout](FleetDocument& document) {
        Result<void> begun = begin_rotation(document, host, state, rules);
        if (begun) begun = answer_order(document, order, "");
        return begun;
    };
    const auto begun = co_await change(std::move(beginning));
    if (!begun) co_return begun.error();
    leading_.lead = Leadership{host, begun->epoch};
    co_return Result<void>();
}

Task<Result<void>> LeadExecutor::act(const SaveRecord& action) {
    const auto staged = co_await wait_until_staged(action);
    if (!staged) co_return staged.error();
    if (in_a_hurry() && !action.record.compromised()) {
        co_return Error{Fault::busy, "a compromise replaces this rotation", {}};
    }
    const auto kept = co_await local_.act(action);
    if (!kept) co_return kept.error();
    if (!leading_.lead) co_return co_await begin();
    FleetTransition saving = [lead = *leading_.lead, order = leading_.obeyed,
                              state = state_](FleetDocument& document) {
        Result<void> saved = save_record(document, lead, state);
        if (saved) saved = answer_order(document, order, "");
        return saved;
    };
    co_return co_await write(std::move(saving));
}

/// The hosts need a moment, which is no trouble yet.
Task<Result<void>> LeadExecutor::wait_until_staged(const SaveRecord& action) {
    std::function<bool()> decided = [&] {
        const Result<void> staged = check_staged(action.record);
        return staged || staged.error().fault != Fault::busy;
    };
    co_await look_until(std::move(decided));
    co_return check_staged(action.record);
}

Result<void> LeadExecutor::check_staged(const RotationRecord& record) {
    const std::optional<FleetDocument>& seen = fleet_.seen();
    std::vector<std::string> missing = seen ? seen->unstaged(record) : std::vector<std::string>();
    if (missing.empty()) {
        unstaged_since_.reset();
        return {};
    }
    for (std::string& host : missing) {
        const std::string& why = seen->members.at(host).lacks;
        if (!why.empty()) host += fmt::format(" ({})", why);
    }
    const BootTime now = watched_until();
    if (!unstaged_since_) unstaged_since_ = now;
    const bool late = now - *unstaged_since_ >= policy_.rollout.progress_deadline;
    return Error{
        late ? Fault::silent : Fault::busy,
        fmt::format("the new token is not stored yet on {0}: start keyturnd there, and see "
                    "`keyturnctl fleet status {1}`; if a host is gone for ever, run `{2}`",
                    fmt::join(missing, " and "), policy_.name,
                    decommission_command(policy_.name, "HOST")),
        {}};
}

Task<Result<void>> LeadExecutor::act(const Conclude& action) {
    const auto concluded = co_await local_.act(action);
    if (!concluded) co_return concluded.error();
    if (!leading_.lead) co_return Result<void>();
    FleetTransition ending = [lead = *leading_.lead, order = leading_.obeyed, state = state_,
                              entry = action.entry](FleetDocument& document) {
        Result<void> ended = conclude(document, lead, state, entry);
        if (ended) ended = answer_order(document, order, "");
        return ended;
    };
    const auto ended = co_await write(std::move(ending));
    if (ended) leading_.lead.reset();
    co_return ended;
}

// --- Tokens --------------------------------------------------------------------------------------

template <class Asked>
Task<Result<typename Asked::Value>> LeadExecutor::share(const Asked& action) {
    const auto seen = co_await look_if_older(times_.lead_age);
    if (!seen) co_return seen.error();
    const auto taken = tokens_.take(*fleet_.seen());
    if (!taken) co_return taken.error();
    auto result = co_await pass_on(action);
    if (!result) co_return result.error();
    const auto shared = co_await share_tokens();
    if (!shared) co_return shared.error();
    co_return result;
}

void LeadExecutor::note_api(bool answered) {
    if (answered) leading_.api_silent_since.reset();
    if (!answered && !leading_.api_silent_since) {
        leading_.api_silent_since = world_.clock.boot_now();
    }
}

Task<Result<void>> LeadExecutor::share_tokens() {
    const FleetTokens::Change change_of_tokens = tokens_.change();
    if (!change_of_tokens.kept && !change_of_tokens.delivered) co_return Result<void>();
    if (!leading_.lead) {
        const auto begun = co_await begin();
        if (!begun) co_return begun.error();
    }
    std::optional<SealedTokens> sealed = fleet_.seen()->sealed;
    if (change_of_tokens.kept) {
        sealed.reset();
        if (tokens_.kept()) {
            auto text = fleet_.keys().seal(*fleet_.seen(), world_.random, *tokens_.kept());
            if (!text) co_return text.error();
            sealed = std::move(*text);
        }
    }
    FleetTransition sharing = [lead = *leading_.lead, sealed,
                               token = tokens_.delivered()](FleetDocument& document) {
        const Result<void> kept = keep_sealed(document, lead, sealed);
        return kept ? deliver(document, lead, token) : kept;
    };
    co_return co_await write(std::move(sharing));
}

Task<Result<CheckFiles::Value>> LeadExecutor::act(const CheckFiles&) {
    const auto seen = co_await look_if_older(times_.hasty_look);
    if (!seen) co_return seen.error();
    const auto taken = tokens_.take(*fleet_.seen());
    if (!taken) co_return taken.error();
    // In a roll-out a host that cannot write its file simply does not get its turn.
    const bool checking = !state_.rotation || state_.rotation->phase == Phase::preflight;
    const auto checked = tokens_.check(policy_.name);
    if (checking && !checked) co_return checked.error();
    CheckFiles::Value value;
    value.fingerprint = fleet_.seen()->deliver;
    co_return value;
}

/// Each host replaces its file once it sees that, so there is no one time that this took.
Task<Result<DeliverToken::Value>> LeadExecutor::act(const DeliverToken& action) {
    auto delivered = co_await share(action);
    if (!delivered) co_return delivered;
    delivered->since_commit.reset();
    // What is known of a host is unsafe until it has the token, and most have it after a moment.
    std::function<bool()> everywhere = [this] {
        const FleetDocument& document = *fleet_.seen();
        return std::ranges::all_of(document.members, [&](const auto& member) {
            return document.has_token(member.second);
        });
    };
    if (!in_a_hurry()) co_await look_until(std::move(everywhere));
    co_return delivered;
}

Task<Result<CommitSecret::Value>> LeadExecutor::act(const CommitSecret& action) {
    const auto leads = co_await make_sure_to_lead();
    if (!leads) co_return leads.error();
    co_return co_await share(action);
}

Task<Result<void>> LeadExecutor::act(const EvictConnector& action) {
    const auto leads = co_await make_sure_to_lead();
    if (!leads) co_return leads.error();
    co_return co_await pass_on(action);
}

Result<Fingerprint> LeadExecutor::delivered_fingerprint() {
    if (!fleet_.seen())
        return Error{Fault::unreachable, "the shared object has not been read yet", {}};
    return fleet_.seen()->deliver;
}

std::string LeadExecutor::kept_rotation() {
    if (!fleet_.seen() || !tokens_.take(*fleet_.seen())) return {};
    return local_.kept_rotation();
}

Fingerprint LeadExecutor::replaced_fingerprint(const Fingerprint& delivered) {
    if (!fleet_.seen() || !tokens_.take(*fleet_.seen())) return {};
    return local_.replaced_fingerprint(delivered);
}

/// The hosts do that by themselves, once the object says which token they have to have.
Task<Result<void>> LeadExecutor::seed_token_file() {
    co_return Result<void>();
}

Task<Result<void>> LeadExecutor::deliver_again(Fingerprint expected) {
    FleetTransition setting = [expected](FleetDocument& document) {
        return set_idle_delivery(document, expected);
    };
    co_return co_await write(std::move(setting));
}

}  // namespace keyturn
