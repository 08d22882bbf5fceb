#pragma once

#include "rotation/chapter.hpp"

#include <cstddef>
#include <optional>
#include <string>

namespace keyturn {

class Capacity;
class Proof;
class TokenHandover;
class TokenWatch;

/// Brings one unit from "waiting" to "verified": waits until it may go down (I1), saves its
/// restart, restarts it and has it verified. If something is in the way, it deals with that first:
/// a unit without connections restarts before it, or the extra connector helps out. Ends held if it
/// may not go down for too long, cannot be restarted, was stopped by somebody or is not verified;
/// with `start_over` if the token has changed.
class UnitRestart : public Chapter {
  public:
    UnitRestart(RotationContext& context, const Capacity& capacity, TokenHandover& handover,
                TokenWatch& token, Proof& proof)
        : Chapter(context),
          capacity_(capacity),
          handover_(handover),
          token_(token),
          proof_(proof) {}

    /// Returns with the unit verified, or left stopped as the operator wants.
    Script<> roll(std::size_t index);

    /// Marks the current process as the one to replace.
    static void begin_restart(UnitProgress& unit, const SampleUnits::Sample& own);

    /// Holds because too few others serve for this unit to go down. Names the missing unit: if it
    /// had been verified, a retry checks that one.
    [[nodiscard]] Never hold_for_replicas(std::string unit, std::string why,
                                          const SampleUnits::Value& samples);

  private:
    [[nodiscard]] bool needs_restart(const UnitProgress& unit, const SampleUnits::Sample& sample,
                                     bool first_look) const;
    Script<> allow(std::size_t index);
    Script<> await_token(std::size_t index, BootTime deadline);
    Script<> meet_stopped(std::size_t index);
    Script<> make_room(std::size_t index, SampleUnits::Value samples, BootTime deadline);
    Script<> restart_useless(std::size_t index);
    Script<> restart_first(std::size_t useless, std::size_t index);
    Script<> start_surge(std::size_t index);
    Script<> record(std::size_t index, SampleUnits::Sample own);
    static void not_begun(UnitProgress& unit);
    Script<std::optional<Fault>> restart(std::size_t index, BootTime sampled);

    const Capacity& capacity_;
    TokenHandover& handover_;
    TokenWatch& token_;
    Proof& proof_;
};

}  // namespace keyturn
