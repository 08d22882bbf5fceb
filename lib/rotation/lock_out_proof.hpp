#pragma once

#include "rotation/chapter.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keyturn {

class Eviction;
class Proof;
class TokenWatch;

/// The end of a compromise: waits until Cloudflare has listed exactly our connectors twice in a
/// row. By now every unit has the new token and reconnects automatically if its connector is
/// dropped, but a thief cannot. So if a unit does not report its connector, doubtful connectors are
/// dropped once more; one that stays has the new token, which must therefore still be ours. Ends
/// held if this does not succeed, or with `start_over` if the token has changed.
class LockOutProof : public Chapter {
  public:
    LockOutProof(RotationContext& context, Eviction& eviction, Proof& proof, TokenWatch& token)
        : Chapter(context), eviction_(eviction), proof_(proof), token_(token) {}

    Script<> await();

  private:
    [[nodiscard]] Never hold_for_lock_out(const std::vector<std::string>& absent);
    [[nodiscard]] std::optional<std::string> replaced_among(
        const std::vector<std::string>& units, const SampleUnits::Value& samples) const;

    Eviction& eviction_;
    Proof& proof_;
    TokenWatch& token_;
};

/// The result of a lock-out, for people.
[[nodiscard]] std::string lock_out_sentence(const std::string& tunnel, const LockOut& lock_out);

}  // namespace keyturn
