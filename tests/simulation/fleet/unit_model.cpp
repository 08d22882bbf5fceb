#include "simulation/fleet/unit_model.hpp"

#include "simulation/fleet/cloud_model.hpp"
#include "simulation/fleet/host.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn::fleet_simulation {

namespace {

constexpr int connections_max = 4;
constexpr Milliseconds restart_pause = std::chrono::seconds{5};

}  // namespace

std::string UnitModel::full_name() const {
    return fleet_unit(host_.name(), name_);
}

BootTime UnitModel::now() const {
    return host_.world().now();
}

bool UnitModel::token_fits() const {
    return !token_.empty() && token_ == host_.cloud().held();
}

/// Only for the process that there is now.
void UnitModel::then(Milliseconds wait, void (UnitModel::*next)()) {
    host_.world().after(wait, [this, next, life = life_] {
        if (life == life_) (this->*next)();
    });
}

void UnitModel::set_connections(int count) {
    const bool served = serves();
    if (served) served_ = now();
    connections_ = count;
    if (serves()) down_by_us = false;
    if (!served) serves_since_ = now();
    if (served != serves()) host_.units_changed();
    if (served && !serves()) idle_since_ = now();
}

void UnitModel::end_job(JobResult result) {
    if (!std::exchange(job_, false)) return;
    job_result_ = result;
    host_.job_ended(name_);
}

void UnitModel::start() {
    ++life_;
    stage_ = Stage::starting;
    idle_since_ = now();
    World& world = host_.world();
    invocation_ = fmt::format("{:016x}{:016x}", world.dice.roll(), world.dice.roll());
    connector_ = fmt::format("{:08x}-0000-4000-8000-{:012x}", world.dice.roll() >> 32U,
                             world.dice.roll() >> 16U);
    token_ = host_.disk.holds;
    const Milliseconds takes = world.dice.between(Milliseconds{300}, Milliseconds{3000});
    then(takes, &UnitModel::come_up);
}

void UnitModel::come_up() {
    if (broken) return fail_start();
    if (!token_fits()) return then(std::chrono::seconds{2}, &UnitModel::be_refused);
    stage_ = Stage::running;
    set_connections(1);
    end_job(JobResult::done);
    then(host_.world().dice.between(Milliseconds{200}, Milliseconds{2000}), &UnitModel::fill_up);
}

void UnitModel::be_refused() {
    host_.world().saw("start with a token that Cloudflare refuses");
    down_by_us = false;  // Whoever has changed the token has done this.
    fail_start();
}

void UnitModel::fail_start() {
    had_turn = false;
    ++life_;
    stage_ = gives_up ? Stage::failed : Stage::resting;
    end_job(JobResult::failed);
    if (!gives_up) then(restart_pause, &UnitModel::start);
}

void UnitModel::fill_up() {
    if (token_fits() && stage_ == Stage::running) set_connections(connections_max);
}

void UnitModel::cut_power() {
    had_turn = false;
    ++life_;
    set_connections(0);
    stage_ = Stage::off;
    job_ = false;
    down_by_us = false;  // It would be down anyway.
}

void UnitModel::crash() {
    if (stage_ != Stage::running) return;
    had_turn = false;
    ++life_;
    set_connections(0);
    stage_ = Stage::resting;
    then(restart_pause, &UnitModel::start);
}

void UnitModel::restart() {
    ++life_;
    job_ = true;
    set_connections(0);
    stage_ = Stage::stopping;
    then(host_.world().dice.between(Milliseconds{100}, Milliseconds{4000}), &UnitModel::start);
}

void UnitModel::lose_connection() {
    if (!serves()) return;
    set_connections(connections_ - 1);
    if (token_fits()) then(std::chrono::seconds{1}, &UnitModel::fill_up);
}

void UnitModel::be_evicted() {
    if (!running()) return;
    set_connections(0);
    if (token_fits()) then(std::chrono::seconds{1}, &UnitModel::fill_up);
}

void UnitModel::repair() {
    broken = false;
    gives_up = false;
    if (stage_ == Stage::failed) start();
}

bool UnitModel::fully_serves() const {
    return serves() && connections_ == connections_max && token_fits();
}

UnitState UnitModel::state() const {
    UnitState state;
    state.name = name_;
    state.load_state = "loaded";
    state.result = "success";
    state.invocation = invocation_;
    state.job_pending = job_;
    state.main_pid = 4711;
    switch (stage_) {
        case Stage::running:
            state.active_state = "active";
            state.sub_state = "running";
            return state;
        case Stage::stopping:
            state.active_state = "deactivating";
            state.sub_state = "stop-sigterm";
            return state;
        case Stage::starting:
            state.active_state = "activating";
            state.sub_state = "start";
            return state;
        case Stage::resting:
            state.active_state = "activating";
            state.sub_state = "auto-restart";
            state.main_pid = 0;
            return state;
        case Stage::failed:
            state.active_state = "failed";
            state.sub_state = "failed";
            state.result = "exit-code";
            state.main_pid = 0;
            return state;
        case Stage::off: break;
    }
    state.active_state = "inactive";
    state.sub_state = "dead";
    state.main_pid = 0;
    return state;
}

}  // namespace keyturn::fleet_simulation
