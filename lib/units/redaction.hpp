#pragma once

#include <string>
#include <string_view>

namespace keyturn {

// systemd shows a unit's command line and environment to everybody, tokens included. Nothing leaves
// the reader of unit properties but through these, so that no token of a badly set up unit gets
// into our strings, into a plan or into a message.

/// Takes the arguments of one command in their order and gives each back with every secret replaced
/// by nothing: what follows --token and --credentials-contents in any spelling, what is assigned to
/// TUNNEL_TOKEN or TUNNEL_CRED_CONTENTS anywhere in an argument (and all that follows the latter,
/// which is JSON), and whatever looks like a token.
class ArgumentCut {
  public:
    [[nodiscard]] std::string next(std::string_view argument);

  private:
    bool is_value_ = false;  ///< The argument before this one was a secret's option.
};

/// An environment entry with its value removed ("NAME="), unless the name is one of cloudflared's
/// that hold a path, an address or another harmless setting.
[[nodiscard]] std::string cut_environment(std::string_view entry);

}  // namespace keyturn
