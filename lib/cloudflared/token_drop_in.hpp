#pragma once

#include "cloudflared/token_source.hpp"
#include "model/unit_state.hpp"

#include <string>
#include <vector>

namespace keyturn {

/// The lines of a drop-in that makes the unit take its token from `token_file` with
/// LoadCredential=. They remove settings that only supplied the old token, and repeat those that an
/// empty setting removes along with them. Returns no lines if the command cannot be rewritten: no
/// cloudflared, a container, or an unknown program in front. Pure.
[[nodiscard]] std::vector<std::string> token_drop_in(const UnitSettings& settings,
                                                     const std::string& token_file,
                                                     const ConnectorFiles& files = {});

/// A drop-in name that sorts after all drop-ins of the unit. systemd sorts them by file name,
/// across all directories (systemd.unit(5)). Pure.
[[nodiscard]] std::string last_drop_in_name(const UnitSettings& settings);

/// Names keyturn's drop-in and those after it, which may override it: "B sorts after A". Returns ""
/// if there are none.
[[nodiscard]] std::string overriding_drop_ins(const std::vector<std::string>& files);

/// What an operator has to do so that the unit takes its token from `token_file`: a command for a
/// root shell and what remains to be done, or, if no command would be right, what to write. Pure.
[[nodiscard]] std::string token_advice(const UnitSettings& settings, const std::string& token_file,
                                       const ConnectorFiles& files);

}  // namespace keyturn
