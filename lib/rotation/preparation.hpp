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
    void tell_left_stopped();

  private:
    Script<> preflight();
    Script<PreflightFacts> gather_facts();

    std::vector<std::string> findings_;  ///< Of the preflight: reported, but no reason to refuse.
};

}  // namespace keyturn
