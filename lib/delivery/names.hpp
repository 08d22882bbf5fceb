#pragma once

#include <string>
#include <string_view>

namespace keyturn {

/// Whether this is a rotation's id: 32 lower-case hex digits. It becomes part of file names.
[[nodiscard]] bool is_rotation_id(std::string_view text);

/// ".NAME.keyturn-ROTATIONID": what waits beside the token file to be renamed over it.
[[nodiscard]] std::string staged_name(std::string_view tunnel_name, std::string_view rotation_id);

/// Whether `name` is a staged file of this tunnel; no other tunnel's, whatever that is called.
[[nodiscard]] bool is_staged_for(std::string_view name, std::string_view tunnel_name);

}  // namespace keyturn
