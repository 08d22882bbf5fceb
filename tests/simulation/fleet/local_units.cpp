#include "simulation/fleet/local_units.hpp"

#include "simulation/fleet/host.hpp"

namespace keyturn::fleet_simulation {

namespace {

Error no_such_unit() {
    return Error{Fault::missing, "there is no such unit", {}};
}

}  // namespace

Task<Result<std::vector<NamedUnit>>> LocalUnits::expand(std::vector<std::string> patterns) {
    std::vector<NamedUnit> named;
    for (const std::string& name : patterns) named.push_back(NamedUnit{name, {name}});
    co_return named;
}

Task<Result<UnitState>> LocalUnits::state(std::string unit) {
    const UnitModel* found = host_.find(unit);
    if (found == nullptr) co_return no_such_unit();
    if (host_.world().strikes(0.0005, "systemd does not answer")) {
        co_return Error{Fault::unreachable, "systemd does not answer", {}};
    }
    co_return found->state();
}

Task<Result<UnitSettings>> LocalUnits::settings(std::string unit) {
    UnitSettings settings;
    settings.name = unit;
    settings.names = {unit};
    settings.exec_start = {{"cloudflared", "tunnel", "run", "--token-file", "%d/token"}};
    settings.load_credentials = {{"token", "/var/lib/keyturn/tokens/web"}};
    settings.unset_environment = {"TUNNEL_TOKEN", "TUNNEL_TOKEN_FILE"};
    settings.start_timeout = std::chrono::seconds{15};
    settings.stop_timeout = std::chrono::seconds{15};
    if (host_.find(unit) == nullptr) co_return no_such_unit();
    co_return settings;
}

Task<Result<Permission>> LocalUnits::may(std::string, UnitVerb) {
    co_return Permission::granted;
}

Task<Result<RestartResult>> LocalUnits::restart(std::string unit, RestartVerb verb,
                                                Milliseconds deadline) {
    UnitModel* found = host_.find(unit);
    if (found == nullptr) co_return no_such_unit();
    if (!host_.survives_until(Effect::restart)) co_await host_.never();
    if (found->job_pending()) {
        co_return Error{Fault::conflict, "another job of the unit is under way", {}};
    }
    if (verb == RestartVerb::try_restart && found->at_rest())
        co_return RestartResult(JobResult::done);
    host_.restarts(*found);
    host_.may_die_after(Effect::restart);
    if (deadline == Milliseconds{0}) co_return RestartResult(JobResult::queued);
    const BootTime end = host_.clock().boot_now() + deadline;
    const std::string process = found->invocation();
    while (found->job_pending()) {
        if (host_.clock().boot_now() >= end) {
            co_return Error{Fault::unreachable, "the job outlives its deadline", {}};
        }
        const BootTime next = host_.clock().boot_now() + Milliseconds{250};
        co_await host_.clock().sleep_until(next);
    }
    co_return RestartResult(found->job_result());
}

Task<Result<JobResult>> LocalUnits::stop(std::string, Milliseconds) {
    host_.world().fail("a fleet stops a unit");
    co_return JobResult::done;
}

Task<Result<Readiness>> LocalUnits::readiness(UnitState unit) {
    const UnitModel* found = host_.find(unit.name);
    if (found == nullptr) co_return no_such_unit();
    if (!found->running() || host_.world().strikes(0.0005, "a connector does not answer")) {
        co_return Error{Fault::unreachable, "it does not answer", {}};
    }
    Readiness readiness;
    readiness.connector_id = found->connector();
    readiness.tunnel = tunnel_id;
    readiness.connections = found->connections();
    readiness.serving = found->serves();
    co_return readiness;
}

ConnectorFiles LocalUnits::files(const UnitSettings&) {
    return {};
}

}  // namespace keyturn::fleet_simulation
