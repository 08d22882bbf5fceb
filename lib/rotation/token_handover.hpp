#pragma once

#include "rotation/chapter.hpp"

namespace keyturn {

class ForeignToken;

/// Brings the secret to Cloudflare and the token into the file. Both are repeatable: keyturnd first
/// checks what was sent before a crash, and a retry sends the same secret. If somebody else's
/// secret comes in between, it takes precedence, except after a compromise.
class TokenHandover : public Chapter {
  public:
    TokenHandover(RotationContext& context, ForeignToken& foreign)
        : Chapter(context), foreign_(foreign), taken_at_(context.now) {}

    /// Returns when the API has accepted the secret: true if its answer contained our token.
    /// `ask_first` means that a PATCH may have been sent before, so the API is first asked whose
    /// token it has. Ends refused if nothing was sent, otherwise held.
    Script<bool> send(bool ask_first);

    /// Writes the token of the record into the token file. Waits until the disk takes it.
    Script<> deliver();

    /// Returns when the API itself shows the delivered token; nothing is restarted before that.
    /// `answered` means that the PATCH answer contained the token, which is enough if the API goes
    /// down right after it. Ends held if Cloudflare keeps showing the token from before.
    Script<> confirm(bool answered);

    /// Delivers our token again if somebody has emptied, removed or overwritten the token file. A
    /// unit restarted on such a file would be down until a person comes.
    Script<> keep_file();

    /// When Cloudflare accepted the secret, as far as this process has seen.
    [[nodiscard]] BootTime taken_at() const { return taken_at_; }

  private:
    Script<> put_back();
    Script<> send_again();

    ForeignToken& foreign_;
    BootTime taken_at_;
    int resends_ = 0;  ///< How often another secret was overruled after a compromise.
};

}  // namespace keyturn
