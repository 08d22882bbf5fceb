#pragma once

#include "rotation/chapter.hpp"

#include <cstddef>
#include <map>
#include <string>

namespace keyturn {

class TokenWatch;
class UnitVerifier;

/// Verifies one unit after its restart: it must be proven to serve with the new token by systemd,
/// by its own /ready for min_healthy_time, and by the API. Ends held if that does not happen in
/// time, or with `start_over` if the token has changed. It waits for a unit that cannot be asked;
/// but in a compromise it never waits longer than the deadline.
class Proof : public Chapter {
  public:
    Proof(RotationContext& context, TokenWatch& token) : Chapter(context), token_(token) {}

    Script<> prove(std::size_t index);

    /// Verifies a unit again that was verified but now runs as another process, which has read the
    /// same token file. A unit that keeps being replaced is not healthy.
    Script<> prove_replacement(std::string unit);

  private:
    /// What the API says about a connector; `unknown` if the API does not answer.
    enum class Listing { listed, absent, unknown };

    Script<SampleUnits::Sample> look(std::size_t index, bool everyone);
    Script<Listing> listing_of(std::string connector);
    void tell_unknown(std::size_t index, const UnitVerifier& verifier);
    void note_proof(std::size_t index, const SampleUnits::Sample& own, std::string verified_by);
    void tell_proof(std::size_t index, const UnitVerifier& verifier);
    [[nodiscard]] Never hold_for_failure(std::size_t index, const UnitVerifier& verifier);

    TokenWatch& token_;
    std::map<std::string, int> replacements_;  ///< How often a verified unit's process changed.
};

}  // namespace keyturn
