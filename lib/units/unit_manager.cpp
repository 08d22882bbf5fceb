#include "units/unit_manager.hpp"

#include "bus/bus.hpp"
#include "clock/clock.hpp"
#include "units/job_tracker.hpp"
#include "units/manager_call.hpp"
#include "units/natural_order.hpp"
#include "units/permissions.hpp"
#include "units/running_units.hpp"
#include "units/unit_error.hpp"
#include "units/unit_properties.hpp"

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <deque>
#include <memory>
#include <set>

namespace keyturn {

namespace asio = boost::asio;

namespace {

constexpr const char* unit_path_prefix = "/org/freedesktop/systemd1/unit";
constexpr const char* properties_interface = "org.freedesktop.DBus.Properties";

constexpr std::size_t units_of_glob_max = 1'000;
/// How many units keyturnd follows to find out what a restart affects.
constexpr std::size_t units_followed_max = 64;

bool is_glob(const std::string& pattern) {
    return pattern.find_first_of("*?[") != std::string::npos;
}

/// Grouping units do no work themselves, but they pass a restart on to other units.
bool only_groups(const std::string& unit) {
    return unit.ends_with(".target") || unit.ends_with(".slice");
}

/// systemd's own condition (UNIT_IS_INACTIVE_OR_DEACTIVATING). A restart that propagates to a unit
/// for which this is false does nothing.
bool would_be_restarted(const UnitState& state) {
    return state.active_state != "inactive" && state.active_state != "failed" &&
           state.active_state != "deactivating" && !state.active_state.empty();
}

std::string path_of(const std::string& unit) {
    char* encoded = nullptr;
    if (sd_bus_path_encode(unit_path_prefix, unit.c_str(), &encoded) < 0) return {};
    const std::unique_ptr<char, decltype(&std::free)> owner(encoded, std::free);
    return encoded;
}

/// A unit's object answers GetAll("") with the properties of all its interfaces in one message,
/// which describes one moment. systemd loads the unit for it if it is not in memory.
Message get_all_of(sd_bus* bus, const std::string& unit) {
    if (bus == nullptr) return nullptr;  // The call will fail because the bus is down.
    sd_bus_message* raw = nullptr;
    const std::string path = path_of(unit);
    sd_bus_message_new_method_call(bus, &raw, systemd_name, path.c_str(), properties_interface,
                                   "GetAll");
    Message message(raw);
    if (message) sd_bus_message_append(raw, "s", "");
    return message;
}

Message get_property(sd_bus* bus, const std::string& path, const char* interface,
                     const char* name) {
    if (bus == nullptr) return nullptr;
    sd_bus_message* raw = nullptr;
    sd_bus_message_new_method_call(bus, &raw, systemd_name, path.c_str(), properties_interface,
                                   "Get");
    Message message(raw);
    if (message) sd_bus_message_append(raw, "ss", interface, name);
    return message;
}

Message list_units_like(sd_bus* bus, const std::string& glob) {
    Message message = manager_call(bus, "ListUnitsByPatterns");
    if (message) sd_bus_message_append(message.get(), "asas", 0, 1, glob.c_str());
    return message;
}

/// The loaded units in a list of units.
Result<std::vector<std::string>> read_unit_list(sd_bus_message* reply) {
    Error malformed{Fault::invalid, "systemd's list of units has an unexpected format"};
    if (sd_bus_message_enter_container(reply, 'a', "(ssssssouso)") < 0) return malformed;
    std::vector<std::string> units;
    const char* name = nullptr;
    const char* load_state = nullptr;
    int status = 0;
    while ((status = sd_bus_message_enter_container(reply, 'r', "ssssssouso")) > 0) {
        if (sd_bus_message_read(reply, "sss", &name, nullptr, &load_state) <= 0 ||
            sd_bus_message_skip(reply, "sssouso") < 0 || sd_bus_message_exit_container(reply) < 0)
            return malformed;
        if (std::string_view(load_state) == "loaded") units.emplace_back(name);
    }
    if (status < 0) return malformed;
    std::sort(units.begin(), units.end(), naturally_before);
    return units;
}

class SystemdUnitManager final : public UnitManager {
  public:
    SystemdUnitManager(Bus& bus, Clock& clock, UnitPatience patience, JobEnded job_ended)
        : bus_(bus),
          clock_(clock),
          patience_(patience),
          tracker_(JobTracker::make(bus, std::move(job_ended))),
          user_(user_of_process()),
          permissions_(bus, patience.ask),
          running_(bus, patience.read) {}

    Task<Result<std::vector<NamedUnit>>> expand(std::vector<std::string> patterns) override;
    Task<Result<UnitState>> state(std::string unit) override;
    Task<Result<UnitSettings>> settings(std::string unit) override;
    Task<Result<Permission>> may(std::string unit, UnitVerb verb) override {
        return permissions_.may(std::move(unit), verb);
    }
    Task<Result<RestartResult>> restart(std::string unit, RestartVerb verb,
                                        Milliseconds deadline) override;
    Task<Result<JobResult>> stop(std::string unit, Milliseconds deadline) override;

  private:
    /// The method of systemd to call, and its name in messages.
    struct Job {
        const char* member = "";
        const char* word = "";
    };

    Task<Result<Message>> ask(std::string unit, const char* action, Message message,
                              Milliseconds timeout);
    Task<Result<std::string>> id_of(std::string name);
    Task<Result<std::vector<std::string>>> units_like(std::string glob);
    Task<Result<UnitProperties>> look_at(std::string unit);
    Task<Result<std::vector<std::string>>> manager_environment();
    Task<Result<std::vector<std::string>>> follow(std::string unit,
                                                  std::vector<std::string> propagates_to);
    Task<Result<void>> reset_failed(std::string unit);
    Task<Result<JobResult>> run_job(std::string unit, Job asked, Milliseconds deadline,
                                    BootTime end);
    Task<Result<std::string>> start_job(std::string unit, Job asked);
    Task<Result<JobResult>> wait_for(std::string unit, std::string job, JobWatch& watch,
                                     BootTime deadline);
    Task<Result<std::optional<JobResult>>> look_for_end(std::string unit, std::string job,
                                                        JobWatch& watch);

    Bus& bus_;
    Clock& clock_;
    UnitPatience patience_;
    std::shared_ptr<JobTracker> tracker_;
    std::string user_;
    Permissions permissions_;
    RunningUnits running_;
};

Task<Result<Message>> SystemdUnitManager::ask(std::string unit, const char* action, Message message,
                                              Milliseconds timeout) {
    Result<Message> answer = co_await bus_.exchange(std::move(message), timeout);
    if (!answer) {
        const std::string what = fmt::format("cannot {} {}", action, unit);
        co_return with_context(what, answer.error());
    }
    if (sd_bus_message_is_method_error(answer->get(), nullptr) <= 0) co_return std::move(*answer);
    const sd_bus_error& error = *sd_bus_message_get_error(answer->get());
    if (is_refusal(error)) {
        const bool asked = co_await permissions_.polkit_is_there();
        if (!asked) co_return polkit_silent(unit, "polkit is not running");
    }
    co_return unit_error(error, action, unit, user_);
}

Task<Result<std::vector<NamedUnit>>> SystemdUnitManager::expand(std::vector<std::string> patterns) {
    std::vector<NamedUnit> units;
    std::set<std::string> seen;
    const auto add = [&](std::string id, const std::string& name) {
        auto unit = std::ranges::find(units, id, &NamedUnit::id);
        if (unit == units.end()) unit = units.insert(unit, NamedUnit{std::move(id), {}});
        unit->names.push_back(name);
    };
    for (const std::string& pattern : patterns) {
        if (is_glob(pattern)) {
            const Result<std::vector<std::string>> listed = co_await units_like(pattern);
            if (!listed) co_return listed.error();
            for (const std::string& id : *listed) {
                if (seen.insert(id).second) add(id, id);
            }
        } else if (seen.insert(pattern).second) {
            Result<std::string> id = co_await id_of(pattern);
            if (!id) co_return id.error();
            add(std::move(*id), pattern);
        }
    }
    co_return units;
}

/// A unit that systemd does not know keeps its name. A later check of the unit reports what is
/// wrong.
Task<Result<std::string>> SystemdUnitManager::id_of(std::string name) {
    Message message =
        get_property(bus_.handle(), path_of(name), "org.freedesktop.systemd1.Unit", "Id");
    const Result<Message> answer =
        co_await ask(name, "inspect", std::move(message), patience_.read);
    if (!answer && passes_by_itself(answer.error().fault)) co_return answer.error();
    const char* id = nullptr;
    if (answer && sd_bus_message_read(answer->get(), "v", "s", &id) > 0 && *id != '\0') {
        co_return std::string(id);
    }
    co_return name;
}

Task<Result<std::vector<std::string>>> SystemdUnitManager::units_like(std::string glob) {
    Message message = list_units_like(bus_.handle(), glob);
    const Result<Message> answer = co_await ask(glob, "list", std::move(message), patience_.read);
    if (!answer) co_return answer.error();
    Result<std::vector<std::string>> units = read_unit_list(answer->get());
    if (units && units->size() > units_of_glob_max) {
        co_return Error{Fault::invalid, fmt::format("{} matches {} units, which is more than {}",
                                                    glob, units->size(), units_of_glob_max)};
    }
    co_return units;
}

Task<Result<UnitProperties>> SystemdUnitManager::look_at(std::string unit) {
    Message message = get_all_of(bus_.handle(), unit);
    const Result<Message> answer =
        co_await ask(unit, "inspect", std::move(message), patience_.read);
    if (!answer) co_return answer.error();
    co_return read_unit_properties(answer->get(), unit);
}

Task<Result<UnitState>> SystemdUnitManager::state(std::string unit) {
    std::optional<UnitState> running = co_await running_.still_running(unit);
    if (running) co_return std::move(*running);
    Result<UnitProperties> properties = co_await look_at(std::move(unit));
    if (!properties) co_return properties.error();
    running_.note(properties->state);
    co_return std::move(properties->state);
}

Task<Result<UnitSettings>> SystemdUnitManager::settings(std::string unit) {
    Result<UnitProperties> properties = co_await look_at(unit);
    if (!properties) co_return properties.error();
    Result<std::vector<std::string>> dragged =
        co_await follow(unit, std::move(properties->propagates_to));
    if (!dragged) co_return dragged.error();
    properties->settings.dragged_along = std::move(*dragged);
    Result<std::vector<std::string>> inherited = co_await manager_environment();
    if (!inherited) co_return inherited.error();
    properties->settings.manager_environment = std::move(*inherited);
    co_return std::move(properties->settings);
}

/// What `systemctl set-environment` and DefaultEnvironment= pass to every unit.
Task<Result<std::vector<std::string>>> SystemdUnitManager::manager_environment() {
    Message message = get_property(bus_.handle(), systemd_path, systemd_interface, "Environment");
    const std::string manager = "systemd's environment";
    const Result<Message> answer =
        co_await ask(manager, "inspect", std::move(message), patience_.read);
    if (!answer) co_return answer.error();
    co_return read_manager_environment(answer->get());
}

/// A restart propagates from unit to unit as long as it reaches active units.
Task<Result<std::vector<std::string>>> SystemdUnitManager::follow(
    std::string unit, std::vector<std::string> propagates_to) {
    std::set<std::string> dragged;
    std::set<std::string> seen{unit};
    std::deque<std::string> next(propagates_to.begin(), propagates_to.end());
    while (!next.empty()) {
        const std::string name = std::move(next.front());
        next.pop_front();
        if (!seen.insert(name).second) continue;
        if (seen.size() > units_followed_max) {
            co_return Error{Fault::invalid,
                            fmt::format("a restart of {} would affect more than {} other units",
                                        unit, units_followed_max)};
        }
        const Result<UnitProperties> other = co_await look_at(name);
        if (!other) co_return other.error();
        if (!would_be_restarted(other->state)) continue;
        if (!only_groups(name)) dragged.insert(name);
        next.insert(next.end(), other->propagates_to.begin(), other->propagates_to.end());
    }
    co_return std::vector<std::string>(dragged.begin(), dragged.end());
}

Task<Result<RestartResult>> SystemdUnitManager::restart(std::string unit, RestartVerb verb,
                                                        Milliseconds deadline) {
    const BootTime end = clock_.boot_now() + deadline;
    const Result<void> reset = co_await reset_failed(unit);
    if (!reset && reset.error().fault != Fault::denied) co_return reset.error();
    Job asked;
    asked.member = verb == RestartVerb::restart ? "RestartUnit" : "TryRestartUnit";
    asked.word = "restart";
    const Result<JobResult> result = co_await run_job(std::move(unit), asked, deadline, end);
    if (!result) co_return result.error();
    RestartResult restarted(*result);
    if (!reset) restarted.not_reset = reset.error().text;
    co_return restarted;
}

Task<Result<JobResult>> SystemdUnitManager::stop(std::string unit, Milliseconds deadline) {
    const BootTime end = clock_.boot_now() + deadline;
    Job asked;
    asked.member = "StopUnit";
    asked.word = "stop";
    const Result<JobResult> result = co_await run_job(std::move(unit), asked, deadline, end);
    co_return result;
}

Task<Result<JobResult>> SystemdUnitManager::run_job(std::string unit, Job asked,
                                                    Milliseconds deadline, BootTime end) {
    auto executor = co_await asio::this_coro::executor;
    JobWatch watch(tracker_, executor);
    Result<std::string> job = co_await start_job(unit, asked);
    if (!job) co_return job.error();
    if (deadline <= Milliseconds{0}) co_return JobResult::queued;
    watch.expect(*job);
    co_return co_await wait_for(unit, *job, watch, end);
}

/// A restart that hits the start limit stops a healthy unit and leaves it failed, so this resets
/// the counter. A unit that is not in memory has no counter; the restart itself reports its state.
Task<Result<void>> SystemdUnitManager::reset_failed(std::string unit) {
    Message message = manager_call(bus_.handle(), "ResetFailedUnit");
    if (message) sd_bus_message_append(message.get(), "s", unit.c_str());
    const Result<Message> answer =
        co_await ask(unit, "reset-failed", std::move(message), patience_.act);
    if (!answer && answer.error().fault != Fault::missing) co_return answer.error();
    co_return Result<void>();
}

/// Returns the job's object path. In mode "fail", an operator's job that is under way wins.
Task<Result<std::string>> SystemdUnitManager::start_job(std::string unit, Job asked) {
    Message message = manager_call(bus_.handle(), asked.member);
    if (message) sd_bus_message_append(message.get(), "ss", unit.c_str(), "fail");
    const Result<Message> answer =
        co_await ask(unit, asked.word, std::move(message), patience_.act);
    if (!answer) co_return answer.error();
    const char* job = nullptr;
    if (sd_bus_message_read_basic(answer->get(), 'o', &job) <= 0)
        co_return Error{
            Fault::invalid,
            fmt::format("systemd's answer to the {} of {} contains no job", asked.word, unit)};
    co_return std::string(job);
}

Task<Result<JobResult>> SystemdUnitManager::wait_for(std::string unit, std::string job,
                                                     JobWatch& watch, BootTime deadline) {
    for (;;) {
        if (const auto result = watch.result()) co_return *result;
        if (watch.lost()) {
            co_return Error{
                Fault::unreachable,
                fmt::format("the bus connection broke while the job of {} was under way", unit)};
        }
        const Milliseconds left = deadline - clock_.boot_now();
        if (left <= Milliseconds{0}) {
            co_return Error{Fault::unreachable,
                            fmt::format("the job of {} did not end in time", unit)};
        }
        const Milliseconds step = std::min(left, patience_.look_interval);
        co_await watch.wait(step);
        if (watch.result() || watch.lost()) continue;
        const Result<std::optional<JobResult>> end = co_await look_for_end(unit, job, watch);
        // A failed check decides nothing: systemd may be reloading.
        if (end && *end) co_return **end;
    }
}

/// Checks the unit after no signal came. A job that vanished without a signal counts as done if its
/// unit runs, because `done` only means that the job ended.
Task<Result<std::optional<JobResult>>> SystemdUnitManager::look_for_end(std::string unit,
                                                                        std::string job,
                                                                        JobWatch& watch) {
    using Answer = std::optional<JobResult>;
    const Result<UnitProperties> properties = co_await look_at(unit);
    if (!properties) co_return properties.error();
    if (watch.result()) co_return Answer(watch.result());
    if (properties->job_path.empty() || properties->job_path == job) co_return Answer();
    co_return Answer(properties->state.running() ? JobResult::done : JobResult::other);
}

}  // namespace

std::unique_ptr<UnitManager> make_unit_manager(Bus& bus, Clock& clock, UnitPatience patience,
                                               JobEnded job_ended) {
    return std::make_unique<SystemdUnitManager>(bus, clock, patience, std::move(job_ended));
}

}  // namespace keyturn
