#pragma once

#include "rotation/chapter.hpp"

#include <string>
#include <vector>

namespace keyturn {

struct PreflightFacts;

/// Checks everything, then makes the secret. Cloudflare and the units do not know it yet. Ends with
/// `commit`, or refused with every problem and its remedy in one text.
class Preparation : public Chapter {
  public:
    explicit Preparation(RotationContext& context) : Chapter(context) {}

    Script<Ending> tell();

    /// Makes the secret and records both fingerprints. The units must be planned already.
    Script<> prepare();

    /// Records the units and the delivered token from these facts.
    void plan(const PreflightFacts& facts);

    /// Reports each planned unit that does not run and is not started either.
    void tell_left_stopped();

    /// Asks for everything that the preflight judges. Ends refused if that is not possible.
    Script<PreflightFacts> gather_facts();

  private:
    Script<> preflight();

    std::vector<std::string> findings_;  ///< Of the preflight: reported, but no reason to refuse.
};

}  // namespace keyturn
