#pragma once

#include "rotation/chapter.hpp"

namespace keyturn {

class Eviction;
class TokenHandover;
class TokenWatch;

/// Sends the PATCH and puts the new token into the file immediately. Ends with `window`; refused if
/// Cloudflare certainly does not take the secret; held if it accepts it and keeps showing the old
/// token, or if somebody else keeps changing it.
class Commit : public Chapter {
  public:
    Commit(RotationContext& context, TokenHandover& handover, TokenWatch& token, Eviction& eviction)
        : Chapter(context), handover_(handover), token_(token), eviction_(eviction) {}

    Script<Ending> tell();

    /// For a compromise, which has more to do afterwards.
    Script<> commit();

  private:
    TokenHandover& handover_;
    TokenWatch& token_;
    Eviction& eviction_;
};

}  // namespace keyturn
