#include "simulation/unit_model.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn::simulation {

namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Milliseconds start_timeout = seconds{15};
constexpr Milliseconds restart_pause = seconds{5};
constexpr Milliseconds next_connection = seconds{1};
constexpr Milliseconds slow_start_max = seconds{12};
constexpr Milliseconds slow_stop_max = seconds{30};
constexpr Milliseconds list_lag_max = minutes{3};
constexpr Milliseconds unreachable_pause = seconds{5};
constexpr int refusals_max = 6;

std::string connector_name(int process) {
    return fmt::format("c-{}", process);
}

}  // namespace

UnitModel::UnitModel(std::string name, std::string tunnel, UnitSurroundings around, BootTime now,
                     bool enabled)
    : name_(std::move(name)),
      tunnel_(std::move(tunnel)),
      enabled_(enabled),
      around_(around),
      now_(now) {
    at_.fill(BootTime::max());
    if (!enabled) return;
    // It has been up for a long time.
    new_process();
    token_ = around_.token_file;
    phase_ = Phase::running;
    connections_ = connections_full;
    listed_from_ = now;
    foresee_disturbances();
}

BootTime UnitModel::next_change() const {
    return *std::ranges::min_element(at_);
}

void UnitModel::advance(BootTime now) {
    for (;;) {
        const auto next = std::ranges::min_element(at_);
        if (*next > now) break;
        now_ = std::max(now_, *next);
        const auto moment = static_cast<Moment>(next - at_.begin());
        *next = BootTime::max();
        happen(moment);
    }
    now_ = std::max(now_, now);
}

void UnitModel::happen(Moment moment) {
    switch (moment) {
        case phase_ends: end_phase(); break;
        case registration: register_connection(); break;
        case drop:
            after(drop, around_.chance.until_next(FaultKind::connection_drop, connections_full));
            if (connections_ == 0 || !around_.chance.comes(FaultKind::connection_drop)) break;
            if (serving()) served_ = now_;
            --connections_;
            refusals_ = 0;
            if (at_[registration] == BootTime::max()) after(registration, seconds{1});
            break;
        case crash:
            if (!running() || !around_.chance.comes(FaultKind::process_crash)) break;
            end_process();
            phase_ = Phase::auto_restart;
            after(phase_ends, restart_pause);
            break;
        case stop:
            if (!running() || !around_.chance.comes(FaultKind::operator_stop)) break;
            if (job_pending()) finish_job(JobResult::canceled);
            stopped_by_somebody_ = true;
            begin_stop(false);
            if (enabled_) after(start, around_.chance.dice().between(minutes{1}, hours{1}));
            break;
        case restart:
            if (!running() || !around_.chance.comes(FaultKind::operator_restart)) break;
            if (job_pending()) finish_job(JobResult::canceled);
            job_ = Job::theirs;
            begin_stop(true);
            break;
        case start:
            stopped_by_somebody_ = false;
            if (phase_ == Phase::inactive) begin_start();
            break;
        case moments: break;
    }
}

void UnitModel::end_phase() {
    switch (phase_) {
        case Phase::stopping:
            end_process();
            phase_ = Phase::inactive;
            if (start_after_stop_) {
                begin_start();
            } else {
                finish_job(JobResult::done);
            }
            break;
        case Phase::auto_restart: begin_start(); break;
        case Phase::starting: start_failed(false); break;
        case Phase::running:
        case Phase::failed:
        case Phase::inactive: break;
    }
}

void UnitModel::begin_stop(bool then_start) {
    if (serving()) served_ = now_;
    phase_ = Phase::stopping;
    start_after_stop_ = then_start;
    never(registration);
    const bool slow = around_.chance.strikes(FaultKind::slow_unit);
    const Milliseconds longest = slow ? slow_stop_max : Milliseconds{200};
    after(phase_ends, around_.chance.dice().between(Milliseconds{20}, longest));
}

void UnitModel::new_process() {
    process_ = ++around_.next_process;
    invocation_ = fmt::format("i-{}", process_);
    connector_ = connector_name(process_);
    started_ = now_;
}

void UnitModel::begin_start() {
    Chance& chance = around_.chance;
    new_process();
    connections_ = 0;
    refusals_ = 0;
    if (chance.strikes(FaultKind::start_skipped)) {
        phase_ = Phase::inactive;
        finish_job(JobResult::done);
        return;
    }
    if (chance.strikes(FaultKind::start_limit)) {
        start_failed(true);
        return;
    }
    token_ = source_ != 0 ? source_ : around_.token_file;
    phase_ = Phase::starting;
    fails_at_start_ = chance.strikes(FaultKind::start_fails);
    after(phase_ends, fails_at_start_ ? Milliseconds{500} : start_timeout);
    const bool slow = chance.strikes(FaultKind::slow_unit);
    const Milliseconds longest = slow ? slow_start_max : Milliseconds{600};
    after(registration, chance.dice().between(Milliseconds{100}, longest));
}

void UnitModel::start_failed(bool for_good) {
    end_process();
    phase_ = for_good ? Phase::failed : Phase::auto_restart;
    if (!for_good) after(phase_ends, restart_pause);
    finish_job(JobResult::failed);
}

void UnitModel::end_process() {
    if (serving()) served_ = now_;
    if (now_ >= listed_from_ && connections_ > 0 && around_.chance.strikes(FaultKind::list_lag)) {
        ghost_ = process_;
        ghost_until_ = now_ + around_.chance.dice().between(seconds{1}, list_lag_max);
    }
    connections_ = 0;
    never(registration);
    never(drop);
    never(crash);
    never(stop);
    never(restart);
}

void UnitModel::register_connection() {
    const bool connects = phase_ == Phase::starting || phase_ == Phase::running;
    if (!connects || connections_ >= connections_full || fails_at_start_) return;
    if (!around_.cloud.reachable()) {
        after(registration, unreachable_pause);
        return;
    }
    if (!around_.cloud.accepts(token_, now_)) {
        // cloudflared's own backoff. A running process tries once more each time it loses a
        // connection.
        if (++refusals_ < refusals_max) after(registration, seconds{1} * (1 << refusals_));
        return;
    }
    refusals_ = 0;
    if (++connections_ == 1) serving_from_ = now_;
    if (phase_ == Phase::starting) become_ready();
    if (connections_ < connections_full) after(registration, next_connection);
}

void UnitModel::become_ready() {
    phase_ = Phase::running;
    never(phase_ends);
    listed_from_ = now_;
    if (around_.chance.strikes(FaultKind::list_lag)) {
        listed_from_ += around_.chance.dice().between(seconds{1}, list_lag_max);
    }
    finish_job(JobResult::done);
    foresee_disturbances();
}

void UnitModel::foresee_disturbances() {
    Chance& chance = around_.chance;
    after(drop, chance.until_next(FaultKind::connection_drop, connections_full));
    after(crash, chance.until_next(FaultKind::process_crash));
    after(stop, chance.until_next(FaultKind::operator_stop));
    after(restart, chance.until_next(FaultKind::operator_restart));
}

void UnitModel::finish_job(JobResult result) {
    if (job_ == Job::ours) job_result_ = result;
    job_ = Job::none;
}

Result<void> UnitModel::begin_restart(RestartVerb verb) {
    if (job_pending()) return Error{Fault::conflict, "another job is in the way", {}};
    job_result_.reset();
    const bool up = phase_ == Phase::running || phase_ == Phase::starting;
    if (!up && phase_ != Phase::auto_restart && verb == RestartVerb::try_restart) {
        job_result_ = JobResult::done;
        return {};
    }
    job_ = Job::ours;
    if (phase_ == Phase::stopping) {
        start_after_stop_ = true;
    } else if (up) {
        begin_stop(true);
    } else {
        never(phase_ends);
        begin_start();
    }
    return {};
}

Result<void> UnitModel::begin_stop_job() {
    if (job_pending()) return Error{Fault::conflict, "another job is in the way", {}};
    job_result_.reset();
    if (phase_ == Phase::running || phase_ == Phase::starting) {
        job_ = Job::ours;
        begin_stop(false);
        return {};
    }
    never(phase_ends);
    phase_ = Phase::inactive;
    job_result_ = JobResult::done;
    return {};
}

void UnitModel::drop_all() {
    if (connections_ == 0) return;
    if (serving()) served_ = now_;
    connections_ = 0;
    refusals_ = 0;
    if (running()) after(registration, seconds{1});
}

void UnitModel::reboot(BootTime up) {
    end_process();
    job_ = Job::none;
    job_result_.reset();
    const bool enabled = enabled_ && !stopped_by_somebody_;
    phase_ = enabled ? Phase::auto_restart : Phase::inactive;
    if (enabled) at_[phase_ends] = up;
}

void UnitModel::mend(bool leave_stopped) {
    hidden_until_ = BootTime{};
    bring_in();
    if (stopped_by_somebody_ && leave_stopped) {
        never(start);
        return;
    }
    stopped_by_somebody_ = false;
    never(start);
    if (!enabled_) return;
    if (phase_ == Phase::failed || phase_ == Phase::inactive) begin_start();
}

void UnitModel::reconnect() {
    if (running() && connections_ == 0 && !job_pending()) begin_stop(true);
}

UnitState UnitModel::state() const {
    UnitState state;
    state.name = name_;
    state.load_state = "loaded";
    state.result = "success";
    state.invocation = invocation_;
    state.job_pending = job_pending();
    switch (phase_) {
        case Phase::running:
            state.active_state = "active";
            state.sub_state = "running";
            state.main_pid = 1000U + static_cast<unsigned>(process_);
            break;
        case Phase::starting:
            state.active_state = "activating";
            state.sub_state = "start";
            break;
        case Phase::stopping:
            state.active_state = "deactivating";
            state.sub_state = "stop-sigterm";
            break;
        case Phase::auto_restart:
            state.active_state = "activating";
            state.sub_state = "auto-restart";
            state.result = "exit-code";
            break;
        case Phase::failed:
            state.active_state = state.sub_state = "failed";
            state.result = "start-limit-hit";
            break;
        case Phase::inactive:
            state.active_state = "inactive";
            state.sub_state = "dead";
            break;
    }
    return state;
}

Readiness UnitModel::readiness() const {
    return Readiness{connector_, tunnel_, connections_, connections_ > 0};
}

std::optional<std::string> UnitModel::ghost() const {
    if (ghost_ == 0 || now_ >= ghost_until_) return std::nullopt;
    return connector_name(ghost_);
}

}  // namespace keyturn::simulation
