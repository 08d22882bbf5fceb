#pragma once

#include "rotation/chapter.hpp"

namespace keyturn {

class LockOutProof;
class Soak;
class TokenHandover;
class TokenWatch;

/// Every unit is verified. Waits until Cloudflare lists ours and none from before. Ends with
/// `conclusion`; held if Cloudflare does not list ours, if a unit fails now, or if somebody else's
/// connectors stay after a compromise; with `start_over` if the token has changed.
class Finish : public Chapter {
  public:
    Finish(RotationContext& context, TokenHandover& handover, TokenWatch& token, Soak& soak,
           LockOutProof& lock_out)
        : Chapter(context), handover_(handover), token_(token), soak_(soak), lock_out_(lock_out) {}

    Script<Ending> tell();

  private:
    Script<> await_api_list();

    TokenHandover& handover_;
    TokenWatch& token_;
    Soak& soak_;
    LockOutProof& lock_out_;
};

}  // namespace keyturn
