#pragma once

#include "rotation/chapter.hpp"

#include <string>
#include <vector>

namespace keyturn {

struct PreflightFacts;
class Preparation;
class TokenHandover;
class TokenWatch;

/// Root has just moved units onto our token file, or off it, and keyturnd has to prove that they
/// serve that way: they restart by the rules of a rotation. Needs Cloudflare's token in the token
/// file, and what a routine rotation needs. No secret is made or sent, and the other units stay as
/// they are. Ends with `window`, or refused with every problem and its remedy in one text.
class BringIn : public Chapter {
  public:
    BringIn(RotationContext& context, Preparation& preparation, TokenHandover& handover,
            TokenWatch& token)
        : Chapter(context), preparation_(preparation), handover_(handover), token_(token) {}

    Script<Ending> tell();

  private:
    Script<> examine();
    void judge_sources(PreflightFacts& facts, std::vector<std::string>& problems) const;
    void judge_names(const PreflightFacts& facts, std::vector<std::string>& problems) const;
    void plan(const PreflightFacts& facts);
    void plan_to_stay(const PreflightFacts& facts);
    Script<> keep_token();
    void tell_start();

    Preparation& preparation_;
    TokenHandover& handover_;
    TokenWatch& token_;
    std::vector<std::string> findings_;  ///< Reported, but no reason to refuse.
};

}  // namespace keyturn
