#include "waves/wave_executor.hpp"

#include "clock/clock.hpp"
#include "executor/by_kind.hpp"
#include "waves/wave_log.hpp"
#include "waves/wave_memory.hpp"

#include <fmt/format.h>

#include <utility>

namespace keyturn {

WaveExecutor::WaveExecutor(const TunnelPolicy& policy, TunnelState& state, Dependencies world,
                           WaveGate& gate, WaveMemory& memory, WaveLog& log,
                           std::function<void()> looked)
    : policy_(policy),
      state_(state),
      world_(world),
      gate_(gate),
      memory_(memory),
      log_(log),
      looked_(std::move(looked)),
      local_(policy, state, world),
      saved_(gate.memories()) {}

Task<Answer> WaveExecutor::perform(const Action& action) {
    return ByKind::perform(*this, action);
}

Task<Result<ListConnectors::Value>> WaveExecutor::act(const ListConnectors& action) {
    auto listed = co_await local_.act(action);
    if (!listed) co_return listed;
    const Result<Fingerprint> delivered = local_.delivered_fingerprint();
    const bool idle = !state_.rotation && delivered && !delivered->empty();
    if (idle && gate_.memories().token.empty()) gate_.settle_on(*delivered);
    if (idle && gate_.knows(*delivered)) gate_.finish();  // Unless a crash came in between.
    take_in(*listed);
    std::erase_if(*listed, [this](const Connector& connector) {
        const auto host = host_of(gate_.hosts(), connector);
        return host && *host != gate_.own();
    });
    co_return listed;
}

void WaveExecutor::take_in(const std::vector<Connector>& listed) {
    gate_.look(listed, world_.clock.boot_now());
    mistaken_ = mistaken_identity(gate_.hosts(), gate_.own(), listed, own_connectors_).value_or("");
    // If this write fails, the next list or the next restart repeats it.
    static_cast<void>(keep_memories());
    looked_();
}

Task<Result<SampleUnits::Value>> WaveExecutor::act(const SampleUnits& action) {
    log_.forget_wait();
    co_await keep_up();
    auto samples = co_await local_.act(action);
    if (!samples) co_return samples;
    for (const SampleUnits::Sample& sample : *samples) {
        own_connectors_.erase(sample.state.name);
        if (sample.readiness) {
            own_connectors_[sample.state.name] = sample.readiness->connector_id;
        }
    }
    sampled_ = *samples;
    sampled_at_ = world_.clock.boot_now();
    co_return samples;
}

/// From the delivery to the turn of this host much time may pass, in a pause for example. What is
/// listed then says nothing about who had the old token.
Task<> WaveExecutor::keep_up() {
    const BootTime now = world_.clock.boot_now();
    if (!state_.rotation || now < keeps_up_at_) co_return;
    const Result<Fingerprint> delivered = local_.delivered_fingerprint();
    if (!delivered || delivered->empty()) co_return;
    const bool known = gate_.knows(*delivered);
    if (known && !gate_.wants_to_settle(now)) co_return;
    keeps_up_at_ = now + gate_.list_interval();
    if (known) {
        static_cast<void>(co_await list());
    } else {
        static_cast<void>(co_await learn_of_change());
    }
}

/// The last moment before the token changes, and so the last one at which nothing is lost.
Task<Result<PrepareSecret::Value>> WaveExecutor::act(const PrepareSecret& action) {
    const bool compromised = state_.rotation && state_.rotation->compromised();
    const auto listed = co_await list();
    if (!listed && !compromised) co_return listed.error();
    // A compromise would drop the connectors of the other hosts as unknown ones.
    if (!mistaken_.empty()) co_return Error{Fault::denied, mistaken_, {}};
    auto reason = gate_.reason_not_to_rotate();
    if (reason && !compromised) co_return Error{Fault::denied, std::move(*reason), {}};
    co_return co_await local_.act(action);
}

/// The list may fail: the next restart needs it, and asks again.
Task<Result<DeliverToken::Value>> WaveExecutor::act(const DeliverToken& action) {
    auto delivered = co_await local_.act(action);
    if (!delivered) co_return delivered;
    static_cast<void>(co_await learn_of_change());
    co_return delivered;
}

Task<Result<RestartResult>> WaveExecutor::act(const RestartUnit& action) {
    log_.forget_wait();
    if (const auto age = local_.check_age(action.not_after); !age) co_return age.error();
    const auto turn = co_await await_turn(action.unit);
    if (!turn) co_return turn.error();
    const auto renewed = co_await look_again(action);
    if (!renewed) co_return renewed.error();
    log_.release(action.unit);
    co_return co_await local_.act(*renewed);
}

/// To ask Cloudflare takes longer than what the heart knows of the units stays true. It still is,
/// if every unit that served then serves now.
Task<Result<RestartUnit>> WaveExecutor::look_again(RestartUnit restart) {
    SampleUnits question;
    for (const SampleUnits::Sample& sample : sampled_) question.names.push_back(sample.state.name);
    const BootTime now = world_.clock.boot_now();
    const auto samples = co_await local_.act(question);
    if (!samples) co_return samples.error();
    for (std::size_t i = 0; i < sampled_.size(); ++i) {
        if (!sampled_[i].serves() || (*samples)[i].serves()) continue;
        const std::string& unit = sampled_[i].state.name;
        co_return Error{Fault::busy, fmt::format("{} has just stopped serving", unit), {}};
    }
    restart.not_after = now + (restart.not_after - sampled_at_);
    co_return restart;
}

Task<Result<void>> WaveExecutor::act(const Conclude& action) {
    auto concluded = co_await local_.act(action);
    const Outcome outcome = action.entry.outcome;
    const bool done = outcome == Outcome::done || outcome == Outcome::taken_over;
    if (!concluded || !done) co_return concluded;
    gate_.finish();
    static_cast<void>(keep_memories());  // If that fails, the next list repeats it.
    co_return concluded;
}

/// `busy` while other hosts come first. A unit without a connection waits for nobody, because its
/// restart takes nothing down.
Task<Result<void>> WaveExecutor::await_turn(std::string unit) {
    const SampleUnits question{{unit}};
    const auto samples = co_await local_.act(question);
    if (!samples) co_return samples.error();
    if (samples->front().idle()) co_return Result<void>();
    const auto learned = co_await learn_of_change();
    if (!learned) co_return learned.error();
    if (gate_.wants_a_list(world_.clock.boot_now())) {
        const auto listed = co_await list();
        if (!listed) co_return listed.error();
    }
    if (!mistaken_.empty()) co_return Error{Fault::denied, mistaken_, {}};
    const auto kept = keep_memories();
    if (!kept) co_return kept.error();
    WaveGate::Verdict verdict = gate_.may_restart(world_.clock.boot_now());
    if (verdict.kind == WaveGate::Verdict::Kind::closed) log_.note_wait(unit, verdict.error.text);
    if (verdict.kind != WaveGate::Verdict::Kind::open) co_return std::move(verdict.error);
    co_return co_await make_sure_of_token();
}

/// The unit would read a token that opens no connection.
Task<Result<void>> WaveExecutor::make_sure_of_token() {
    const ReadToken question;
    const auto token = co_await local_.act(question);
    if (!token) co_return token.error();
    if (gate_.knows(token->fingerprint)) co_return Result<void>();
    co_return Error{Fault::busy, "the token has changed at Cloudflare", {}};
}

/// Notes, once for each token, which connectors there are right after its delivery.
Task<Result<void>> WaveExecutor::learn_of_change() {
    const Result<Fingerprint> delivered = local_.delivered_fingerprint();
    if (!delivered) co_return delivered.error();
    if (gate_.knows(*delivered)) co_return Result<void>();
    // On a host that has never followed a change, units that are moved have to wait for nobody.
    const bool moves = state_.rotation && state_.rotation->keeps_token();
    if (moves && gate_.memories().token.empty()) {
        gate_.settle_on(*delivered);
        co_return Result<void>();
    }
    const ListConnectors question;
    const auto listed = co_await local_.act(question);
    if (!listed) co_return listed.error();
    const bool by_us = state_.rotation && !state_.rotation->ends_on_foreign_token();
    using Author = WaveGate::Author;
    gate_.begin(*delivered, by_us ? Author::this_host : Author::somebody_else, *listed,
                world_.clock.boot_now());
    take_in(*listed);
    co_return Result<void>();
}

Task<Result<void>> WaveExecutor::list() {
    const ListConnectors question;
    const auto listed = co_await local_.act(question);
    if (!listed) co_return listed.error();
    take_in(*listed);
    co_return Result<void>();
}

Result<void> WaveExecutor::keep_memories() {
    if (saved_ == gate_.memories()) return {};
    const Result<void> kept = memory_.save(policy_.name, gate_.memories());
    if (kept) saved_ = gate_.memories();
    return kept;
}

}  // namespace keyturn
