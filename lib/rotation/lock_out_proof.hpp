#pragma once

#include "rotation/chapter.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keyturn {

class Eviction;
class Proof;

/// The end of a compromise: until Cloudflare has listed nobody but ours, and all of them, twice in
/// a row. Every unit has the new token by now, and comes back by itself when its connector is
/// dropped; a thief does not. So where a unit does not tell its connector, what cannot be told is
/// dropped once more, and who stays has the new token. Ends held where that does not come about.
class LockOutProof : public Chapter {
  public:
    LockOutProof(RotationContext& context, Eviction& eviction, Proof& proof)
        : Chapter(context), eviction_(eviction), proof_(proof) {}

    Script<> await();

  private:
    [[nodiscard]] Never hold_for_lock_out(const std::vector<std::string>& absent);
    [[nodiscard]] std::optional<std::string> replaced_among(
        const std::vector<std::string>& units, const SampleUnits::Value& samples) const;

    Eviction& eviction_;
    Proof& proof_;
};

/// What it has come to, for people.
[[nodiscard]] std::string lock_out_sentence(const std::string& tunnel, const LockOut& lock_out);

}  // namespace keyturn
