#pragma once

#include "rotation/context.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace keyturn {

/// Decides whether enough of a tunnel's units serve for one of them to go down (invariant I1). It
/// uses only samples of the record's units. An unknown state is no permission.
class Capacity {
  public:
    explicit Capacity(const RotationContext& context) : context_(context) {}

    /// True if enough others certainly serve, or the unit itself certainly does not serve.
    [[nodiscard]] bool may_go_down(std::size_t index, const SampleUnits::Value& samples) const;

    /// Why it is unknown whether a unit may go down: enough others would serve if those that could
    /// not be asked do. Nothing if it would not be allowed even then.
    [[nodiscard]] std::optional<std::string> might_be_allowed(
        std::size_t index, const SampleUnits::Value& samples) const;

    /// A unit that has lost all its connections and cannot get them back with the old token. This
    /// may also be a unit that was left stopped and has since been started with an unknown token.
    /// After a compromise it may also be a unit that reports no connection, if enough others serve:
    /// a unit is restarted before anybody is locked out on a guess.
    [[nodiscard]] std::optional<std::size_t> waiting_without_connection(
        const SampleUnits::Value& samples) const;

    /// The extra connector, if there is one and it is not already running.
    [[nodiscard]] std::optional<std::size_t> idle_surge(const SampleUnits::Value& samples) const;

  private:
    [[nodiscard]] int count_others_proven_by_systemd(std::size_t index,
                                                     const SampleUnits::Value& samples) const;

    const RotationContext& context_;
};

/// True if the policy or an operator allows traffic to stop for a moment.
[[nodiscard]] bool gap_accepted(const RotationContext& context);

}  // namespace keyturn
