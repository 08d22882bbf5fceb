#pragma once

#include <string>
#include <string_view>

namespace keyturn {

// systemd shows a unit's command line and environment to everybody, including tokens. All values
// that leave the reader of unit properties pass through these functions, so that no token of a
// badly configured unit gets into keyturnd's strings, plans or messages.

/// Takes the arguments of one command in order and returns each one without its secrets: what
/// follows --token and --credentials-contents in any spelling, what is assigned to TUNNEL_TOKEN or
/// TUNNEL_CRED_CONTENTS anywhere in an argument (and everything after the latter, which is JSON),
/// and whatever looks like a token.
class ArgumentCut {
  public:
    [[nodiscard]] std::string next(std::string_view argument);

  private:
    bool is_value_ = false;  ///< The argument before this one was an option with a secret value.
};

/// An environment entry without its value ("NAME="), unless it is one of cloudflared's variables
/// that hold a path, an address or another harmless setting.
[[nodiscard]] std::string cut_environment(std::string_view entry);

}  // namespace keyturn
