#include "rotation/capacity.hpp"

#include "rotation/verification.hpp"

namespace keyturn {

bool Capacity::may_go_down(std::size_t index, const SampleUnits::Value& samples) const {
    const RotationRecord& record = context_.record;
    const SampleUnits::Sample& own = samples[index];
    const int others = count_serving(samples) - (own.serves() ? 1 : 0) +
                       count_others_proven_by_systemd(index, samples);
    const bool enough = others >= context_.inputs.policy.rollout.min_available;
    const bool serves_no_more = own.idle() || record.units[index].dropped;
    return serves_no_more || enough || gap_accepted(context_) || record.request.evict_all;
}

/// After a compromise, keyturnd does not wait for a unit that does not report its connector: it is
/// enough that systemd saw it become ready with the new token.
int Capacity::count_others_proven_by_systemd(std::size_t index,
                                             const SampleUnits::Value& samples) const {
    const RotationRecord& record = context_.record;
    int proven = 0;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        if (i == index) continue;
        const UnitProgress& unit = record.units[i];
        const bool silent = unit.step == UnitStep::verified && unit.connector_after.empty();
        const bool same_process = samples[i].state.invocation == unit.invocation_after;
        if (silent && same_process && samples[i].unknown()) ++proven;
    }
    return proven;
}

std::optional<std::string> Capacity::might_be_allowed(std::size_t index,
                                                      const SampleUnits::Value& samples) const {
    const int own = samples[index].idle() ? 0 : 1;
    const int others = count_serving(samples) + count_unknown(samples) - own;
    if (others < context_.inputs.policy.rollout.min_available) return std::nullopt;
    return first_unknown(samples);
}

std::optional<std::size_t> Capacity::waiting_without_connection(
    const SampleUnits::Value& samples) const {
    const RotationRecord& record = context_.record;
    for (std::size_t i = 0; i < samples.size(); ++i) {
        const SampleUnits::Sample& sample = samples[i];
        const UnitStep step = record.units[i].step;
        const bool waits = step == UnitStep::waiting || step == UnitStep::listed;
        const bool silent = sample.unknown() && record.compromised() && may_go_down(i, samples);
        const bool useless = sample.state.running() && (sample.idle() || silent);
        const bool ours = !record.units[i].surge && record.may_restart(record.units[i]);
        if (waits && ours && useless && !sample.behind) return i;
    }
    return std::nullopt;
}

std::optional<std::size_t> Capacity::idle_surge(const SampleUnits::Value& samples) const {
    const RotationRecord& record = context_.record;
    for (std::size_t i = 0; i < record.units.size(); ++i) {
        const bool idle = record.units[i].step == UnitStep::listed && samples[i].idle();
        if (record.units[i].surge && idle) return i;
    }
    return std::nullopt;
}

bool gap_accepted(const RotationContext& context) {
    return context.record.request.accept_gap || context.inputs.policy.rollout.accept_gap;
}

}  // namespace keyturn
