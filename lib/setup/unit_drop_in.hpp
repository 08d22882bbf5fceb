#pragma once

#include "cloudflared/token_source.hpp"
#include "model/unit_state.hpp"

#include <string>
#include <string_view>
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

/// Where the drop-in goes. Pure.
[[nodiscard]] std::string drop_in_path(const UnitSettings& settings);

/// The token that a unit used before it was brought in. The drop-in remembers it for the way back.
struct TokenBefore {
    std::string fingerprint;
    std::vector<std::string> places;  ///< Files that contain it; the one that counted comes first.
    /// An undo has put it there, and only a drop-in of ours lets the unit read it from there.
    bool kept_safe = false;

    bool operator==(const TokenBefore&) const = default;
};

/// The whole drop-in. `lines` are those of `token_drop_in`. Pure.
[[nodiscard]] std::string drop_in_text(const std::string& unit,
                                       const std::vector<std::string>& lines,
                                       const TokenBefore& before);

/// Reads back what `drop_in_text` has noted. Pure.
[[nodiscard]] TokenBefore token_before(std::string_view drop_in);

/// What the unit needs besides its drop-in and that names a file of its old token
/// ("EnvironmentFile=/etc/x"): the operator must not delete that file. Pure.
[[nodiscard]] std::vector<std::string> still_needed(const UnitSettings& settings,
                                                    const std::string& token_file,
                                                    const ConnectorFiles& files);

}  // namespace keyturn
