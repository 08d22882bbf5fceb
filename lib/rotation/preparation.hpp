#pragma once

#include "rotation/chapter.hpp"

#include <string>
#include <vector>

namespace keyturn {

struct PreflightFacts;

/// Looks at everything, then makes the secret. Cloudflare and the units know nothing of it yet.
/// Ends with `commit`; or refused, with every problem and its remedy in one text.
class Preparation : public Chapter {
  public:
    explicit Preparation(RotationContext& context) : Chapter(context) {}

    Script<Ending> tell();

    /// Makes the secret and the names of both tokens; for units that are planned already.
    Script<> prepare();

    /// Takes the units and the delivered token of these facts into the record.
    void plan(const PreflightFacts& facts);
    void tell_left_stopped();

  private:
    Script<> preflight();
    Script<PreflightFacts> gather_facts();

    std::vector<std::string> findings_;  ///< Of the preflight; told, and no reason to refuse.
};

}  // namespace keyturn
