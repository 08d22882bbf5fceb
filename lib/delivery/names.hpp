#pragma once

#include <string>
#include <string_view>

namespace keyturn {

/// True for a rotation's id: 32 lower-case hex digits. It becomes part of file names.
[[nodiscard]] bool is_rotation_id(std::string_view text);

/// ".NAME.keyturn-ROTATIONID": the name of a staged file beside the token file, before its rename.
[[nodiscard]] std::string staged_name(std::string_view tunnel_name, std::string_view rotation_id);

/// True if `name` is a staged file of this tunnel and not of another one, whatever their names are.
[[nodiscard]] bool is_staged_for(std::string_view name, std::string_view tunnel_name);

/// The tunnel NAME of ".NAME.keyturn-...", which may be a staged or a temporary file; "" for
/// another name.
[[nodiscard]] std::string_view tunnel_beside(std::string_view name);

}  // namespace keyturn
