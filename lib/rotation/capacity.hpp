#pragma once

#include "rotation/context.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace keyturn {

/// Whether enough of a tunnel's units serve for one of them to go down (I1). Decides by samples of
/// the record's units alone. Not knowing is no permission.
class Capacity {
  public:
    explicit Capacity(const RotationContext& context) : context_(context) {}

    /// Enough others surely serve, or it surely does not serve itself.
    [[nodiscard]] bool may_go_down(std::size_t index, const SampleUnits::Value& samples) const;

    /// What stands in the way of knowing that a unit may go down: enough others serve, if those
    /// that could not be asked do. Nothing where it would not be allowed then, either.
    [[nodiscard]] std::optional<std::string> might_be_allowed(
        std::size_t index, const SampleUnits::Value& samples) const;

    /// A unit that has lost all its connections, which it cannot get back with the old token. Also
    /// one that was left stopped, and was started since with whatever token there was; and after a
    /// compromise one that tells of none, where enough others serve: nobody is locked out before it
    /// is known.
    [[nodiscard]] std::optional<std::size_t> waiting_without_connection(
        const SampleUnits::Value& samples) const;

    /// The extra connector, if there is one and it does not help already.
    [[nodiscard]] std::optional<std::size_t> idle_surge(const SampleUnits::Value& samples) const;

  private:
    [[nodiscard]] int count_others_proven_by_systemd(std::size_t index,
                                                     const SampleUnits::Value& samples) const;

    const RotationContext& context_;
};

/// The policy's word, or an operator's, that traffic may stop for a moment.
[[nodiscard]] bool gap_accepted(const RotationContext& context);

}  // namespace keyturn
