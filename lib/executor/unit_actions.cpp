// Inspects the units: which ones there are, how they are set up, and what keyturnd may do to them.

#include "cloudflared/connectors.hpp"
#include "cloudflared/token_source.hpp"
#include "delivery/token_store.hpp"
#include "executor/rotation_executor.hpp"
#include "executor/unit_claims.hpp"
#include "executor/unit_inspection.hpp"
#include "model/installed_names.hpp"
#include "units/unit_error.hpp"
#include "units/unit_manager.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace keyturn {

namespace {

/// The problem of a unit that the policy names more than once. Several names are not several
/// replicas.
std::string named_twice(const NamedUnit& unit) {
    return fmt::format("`units:` names this unit more than once, as {}: keep one of the names",
                       fmt::join(unit.names, " and as "));
}

void set_problem(InspectUnits::Unit& unit, std::string problem) {
    unit.problem = std::move(problem);
    unit.elsewhere = false;
}

/// Why keyturnd may not do to a unit what a rotation does, without the polkit rule to write.
std::optional<std::string> refusal(const UnitRights& rights, Permission permission) {
    const char* what = rights.stop ? "start and stop" : "restart";
    if (permission == Permission::refused)
        return fmt::format("polkit does not allow user {} to {} it", user_of_process(), what);
    if (permission == Permission::not_by_hand)
        return "it refuses to be started or stopped by hand; remove RefuseManualStart= and "
               "RefuseManualStop= from it";
    return std::nullopt;
}

}  // namespace

Task<Result<InspectUnits::Value>> RotationExecutor::act(const InspectUnits& action) {
    std::vector<std::string> patterns = policy_.units;
    const auto named = co_await world_.units.expand(std::move(patterns));
    if (!named) co_return named.error();
    InspectUnits::Value value;
    for (const NamedUnit& unit : *named) {
        const bool by_glob =
            std::ranges::find_first_of(policy_.units, unit.names) == policy_.units.end();
        auto inspected = co_await inspect(unit.id, by_glob);
        if (!inspected) co_return inspected.error();
        if (unit.names.size() > 1) set_problem(*inspected, named_twice(unit));
        value.push_back(std::move(*inspected));
    }
    auto surge = co_await inspect_surge();
    if (!surge) co_return surge.error();
    if (*surge) value.push_back(std::move(**surge));
    const bool must_know = action.must_know;
    const Result<void> asked = co_await ask_permissions(value, must_know);
    if (!asked) co_return asked.error();
    co_return value;
}

Task<Result<InspectUnits::Unit>> RotationExecutor::inspect(std::string unit, bool by_glob) {
    InspectUnits::Unit inspected;
    inspected.name = unit;
    const auto settings = co_await world_.units.settings(unit);
    if (!settings) {
        if (settings.error().fault == Fault::missing) co_return inspected;
        co_return settings.error();
    }
    if (by_glob && !names_a_connector(*settings)) {
        const auto connector = co_await may_be_connector(unit);
        if (!connector) co_return connector.error();
        inspected.passed_over = !*connector;
    }
    if (inspected.passed_over) {
        inspected.findings.push_back(passed_over_text);
        co_return inspected;
    }
    const ConnectorFiles files = world_.connectors.files(*settings);
    const std::string token_file = world_.tokens.path(policy_.name);
    if (auto problem = unit_problem(*settings, token_file, files, policy_.tunnel)) {
        set_problem(inspected, std::move(problem->text));
        inspected.elsewhere = problem->elsewhere;
    }
    inspected.findings = token_source_findings(*settings, files);
    inspected.stop_and_start = settings->stop_timeout + settings->start_timeout;
    if (auto other = claim_of_another(*settings)) set_problem(inspected, std::move(*other));
    co_return inspected;
}

/// Judges by the running processes: a running unit is not a connector only if certainly nothing of
/// it listens.
Task<Result<bool>> RotationExecutor::may_be_connector(std::string unit) {
    const auto state = co_await world_.units.state(unit);
    if (!state && state.error().fault == Fault::missing) co_return false;
    if (!state) co_return state.error();
    if (!state->running()) co_return false;
    const auto readiness = co_await world_.connectors.readiness(*state);
    co_return readiness || readiness.error().fault != Fault::missing;
}

/// A restart for one tunnel would also be one for the other.
std::optional<std::string> RotationExecutor::claim_of_another(const UnitSettings& unit) const {
    if (world_.claims == nullptr) return std::nullopt;
    const auto claim = world_.claims->of_another(policy_.name, unit.name, unit.names);
    if (!claim) return std::nullopt;
    return fmt::format(
        "tunnel {} also claims this unit, by {}: remove it from the `units:` of one of the two",
        claim->tunnel, claim->words);
}

/// Returns nothing if root has not created such a unit, or the policy does not want it.
Task<Result<std::optional<InspectUnits::Unit>>> RotationExecutor::inspect_surge() {
    std::optional<InspectUnits::Unit> surge;
    if (policy_.rollout.surge == SurgeUse::never) co_return surge;
    const std::string name = surge_unit_of(policy_.name);
    const auto state = co_await world_.units.state(name);
    if (!state && state.error().fault != Fault::missing) co_return state.error();
    if (!state || !state->loaded()) co_return surge;
    auto unit = co_await inspect(name);
    if (!unit) co_return unit.error();
    surge = std::move(*unit);
    surge->surge = true;
    co_return surge;
}

/// Makes one rule for everything that polkit refuses; the last refused unit carries it.
Task<Result<void>> RotationExecutor::ask_permissions(InspectUnits::Value& units, bool must_know) {
    std::vector<UnitRights> refused;
    InspectUnits::Unit* last = nullptr;
    std::optional<Error> unknown;
    for (InspectUnits::Unit& unit : units) {
        if (unit.passed_over) continue;
        const UnitRights rights{unit.name, unit.surge};
        if (!unknown) {
            const auto permission = co_await may(rights);
            if (!permission) unknown = permission.error();
            if (permission) unit.not_allowed = refusal(rights, *permission);
            if (permission && *permission == Permission::refused) {
                refused.push_back(rights);
                last = &unit;
            }
        }
        if (unknown && must_know) co_return *unknown;
        if (unknown) unit.not_allowed = unknown->text;
    }
    if (last != nullptr) *last->not_allowed += "; " + polkit_remedy(user_of_process(), refused);
    co_return Result<void>();
}

/// The first refused verb decides.
Task<Result<Permission>> RotationExecutor::may(UnitRights rights) {
    for (const UnitVerb verb : verbs_of(rights)) {
        const auto permission = co_await world_.units.may(rights.unit, verb);
        if (!permission || *permission != Permission::granted) co_return permission;
    }
    co_return Permission::granted;
}

}  // namespace keyturn
