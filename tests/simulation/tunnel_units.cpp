// The part of a tunnel's world that systemd is responsible for.

#include "simulation/tunnel_model.hpp"

#include <utility>

namespace keyturn::simulation {

namespace {

constexpr Milliseconds stop_and_start = std::chrono::seconds{50};
constexpr Milliseconds job_look = Milliseconds{500};

/// Half of the faults of a call come after it took effect, and only its answer is lost.
constexpr double answer_lost = 0.5;

Error polkit_silent() {
    return Error{Fault::busy, "systemd cannot ask polkit", {}};
}

}  // namespace

std::optional<Error> TunnelModel::bus_fault() {
    if (shared_.bus.down(now_) || shared_.chance.strikes(FaultKind::bus_call)) {
        return Error{Fault::unreachable, "systemd does not answer", {}};
    }
    return std::nullopt;
}

TunnelModel::ResultOf<InspectUnits> TunnelModel::act(const InspectUnits& action) {
    if (auto fault = bus_fault()) return *fault;
    const bool silent = shared_.polkit.down(now_);
    if (silent && action.must_know) return polkit_silent();
    InspectUnits::Value value;
    for (const UnitModel& unit : units_) {
        value.push_back({unit.name(), {}, stop_and_start, is_surge(unit)});
        if (unit.is_apart()) {
            value.back().problem = "it takes its token from elsewhere";
            value.back().elsewhere = true;
        }
        const bool refused = !silent && shared_.chance.strikes(FaultKind::restart_denied);
        if (refused) value.back().not_allowed = "polkit does not allow it";
        if (silent) value.back().not_allowed = polkit_silent().text;
    }
    invariants_.units_inspected(value);
    return value;
}

TunnelModel::ResultOf<SampleUnits> TunnelModel::act(const SampleUnits& action) {
    if (auto fault = bus_fault()) return *fault;
    if (shared_.chance.strikes(FaultKind::ready_unknown)) hide_metrics();
    invariants_.units_looked_at(now_);
    SampleUnits::Value value;
    value.reserve(action.names.size());
    for (const std::string& name : action.names) {
        UnitModel& sampled = unit(name);
        SampleUnits::Sample sample{sampled.state(), {}, "its metrics server does not answer"};
        const bool silent = sampled.running() &&
                            (sampled.hidden() || shared_.chance.strikes(FaultKind::ready_silent));
        if (sampled.running() && !silent) sample.readiness = sampled.readiness();
        const auto look = sampled.serving() ? UnitModel::Look::serving : UnitModel::Look::idle;
        sampled.looked_at(silent ? UnitModel::Look::unknown : look);
        value.push_back(std::move(sample));
    }
    return value;
}

TunnelModel::ResultOf<RestartUnit> TunnelModel::act(const RestartUnit& action) {
    UnitModel& restarted = unit(action.unit);
    const bool waits = action.deadline > Milliseconds{0};
    const auto begin = [&] {
        invariants_.unit_restarts(restarted, now_);
        Result<void> begun;
        effect([&] {
            begun = restarted.begin_restart(action.verb);
            if (begun) invariants_.restart_begun(restarted);
        });
        return begun;
    };
    auto result = run_job(restarted, action.not_after, begin);
    if (result && !*result) return result->error();
    if (result) return RestartResult(**result);
    if (waits) return std::nullopt;
    job_begun_ = false;
    return RestartResult(JobResult::queued);
}

TunnelModel::ResultOf<StopUnit> TunnelModel::act(const StopUnit& action) {
    UnitModel& stopped = unit(action.unit);
    return run_job(stopped, action.not_after, [&] {
        invariants_.unit_stops(stopped, now_);
        Result<void> begun;
        effect([&] { begun = stopped.begin_stop_job(); });
        return begun;
    });
}

template <class Begin>
std::optional<Result<JobResult>> TunnelModel::run_job(UnitModel& unit, BootTime not_after,
                                                      Begin begin) {
    if (!job_begun_ && now_ > not_after) return Error{Fault::busy, "the process was stopped", {}};
    if (!std::exchange(job_begun_, true)) {
        Chance& chance = shared_.chance;
        const bool down_now = shared_.bus.down(now_) || chance.strikes(FaultKind::bus_call);
        if (!down_now && shared_.polkit.down(now_)) {
            job_begun_ = false;
            return polkit_silent();
        }
        const bool denied = !down_now && chance.strikes(FaultKind::restart_denied);
        std::optional<Error> failure;
        if (denied) failure = Error{Fault::denied, "polkit does not allow it", {}};
        if (down_now) failure = Error{Fault::unreachable, "systemd does not answer", {}};
        const bool lost = down_now && chance.dice().happens(answer_lost);
        if (!failure || lost) {
            const Result<void> begun = begin();
            if (!failure && !begun) failure = begun.error();
        }
        if (failure) {
            job_begun_ = false;
            return *failure;
        }
    }
    const auto result = unit.job_result();
    if (!result) {
        again_at_ = now_ + job_look;
        return std::nullopt;
    }
    job_begun_ = false;
    return *result;
}

}  // namespace keyturn::simulation
