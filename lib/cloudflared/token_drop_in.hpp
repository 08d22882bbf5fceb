#pragma once

#include "cloudflared/token_source.hpp"
#include "model/unit_state.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// The lines of a drop-in that makes the unit take its token from `token_file` by LoadCredential=.
/// They take out what only fed the token from before, and write again what an empty setting takes
/// out with it. Empty if the command cannot be written anew: no cloudflared, a container, a program
/// in front that nobody knows. Pure.
[[nodiscard]] std::vector<std::string> token_drop_in(const UnitSettings& settings,
                                                     const std::string& token_file,
                                                     const ConnectorFiles& files = {});

/// A name for a drop-in that sorts behind all that the unit has: systemd sorts them by file name,
/// whatever directory they are in. Pure.
[[nodiscard]] std::string last_drop_in_name(const UnitSettings& settings);

/// A drop-in of ours and, behind it, others that may have overridden it: "" where there is none.
[[nodiscard]] std::string overriding_drop_ins(const std::vector<std::string>& files);

/// What an operator has to do so that the unit takes its token from `token_file`: a command for a
/// root shell, and what it leaves to do; or, where no command would be right, what to write. Pure.
[[nodiscard]] std::string token_advice(const UnitSettings& settings, const std::string& token_file,
                                       const ConnectorFiles& files);

}  // namespace keyturn
