#pragma once

#include "cloudflared/cloudflared_command.hpp"
#include "model/unit_state.hpp"

#include <string>

namespace keyturn {

/// The path outside of a mount that shows a container more than the token of one unit: the
/// directory with the tokens of all tunnels, a file or directory in it, or a directory above it.
/// Empty if there is none. Pure.
[[nodiscard]] std::string mount_of_every_tunnel(const CloudflaredCommand& command);

/// What a person has to change so that the container of this unit takes its token from keyturn: the
/// lines for a unit with `podman run` or `docker run`, or for the .container file of a quadlet, as
/// a clause. Pure.
[[nodiscard]] std::string container_remedy(const UnitSettings& settings);

}  // namespace keyturn
