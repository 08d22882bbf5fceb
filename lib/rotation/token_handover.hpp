#pragma once

#include "rotation/chapter.hpp"

namespace keyturn {

class Adoption;

/// The secret's way to Cloudflare and the token's way into the file, both repeatable: what was sent
/// before a crash is asked for first, and a retry sends the same secret. A stranger who comes in
/// between is given way, but after a compromise.
class TokenHandover : public Chapter {
  public:
    TokenHandover(RotationContext& context, Adoption& adoption)
        : Chapter(context), adoption_(adoption), taken_at_(context.now) {}

    /// Returns when the API has taken the secret: true if its answer carried our token.
    /// `ask_first`: a PATCH may have been sent before, so the API is asked whose token it holds.
    /// Ends refused, if nothing was sent, or held.
    Script<bool> send(bool ask_first);

    Script<> deliver();

    /// Returns when the API itself shows the token that was delivered: nothing is restarted before.
    /// `answered`: the PATCH answer has carried it, which counts when the API goes down right
    /// after. Ends held where Cloudflare goes on showing the one from before.
    Script<> confirm(bool answered);

    /// Somebody may have emptied, removed or overwritten the token file since it was delivered. A
    /// unit that is restarted on that is down until a person comes: ours is delivered again.
    Script<> keep_file();

    /// When Cloudflare took the secret, as far as this keyturnd has seen.
    [[nodiscard]] BootTime taken_at() const { return taken_at_; }

  private:
    Script<> put_back();
    Script<> send_again();

    Adoption& adoption_;
    BootTime taken_at_;
    int resends_ = 0;  ///< How often a stranger was overruled after a compromise.
};

}  // namespace keyturn
