#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "policy/policy.hpp"

#include <string>
#include <string_view>

namespace keyturn {

/// What a source contains, in words for people, and how to find it in the text of the file. `find`
/// fails with a clause about the file ("is empty") that never quotes the text.
struct CredentialContent {
    std::string_view name;  ///< "the API token"
    std::string_view what;  ///< What a person pastes.
    Result<std::string_view> (*find)(std::string_view text);
};

/// What SetCredential= of keyturnd.service hands over where there is no file: systemd would not
/// start keyturnd without any. `find` never sees it.
inline constexpr std::string_view no_credential = "none";

/// Reads a secret that the policy names: a file in the directory of our systemd credentials, or a
/// file that nobody else may read. Nobody but root and ourselves may be able to change the file or
/// a directory on the way to it. `missing` where there is none. The text of an error names the file
/// and the remedy.
[[nodiscard]] Result<Secret> read_credential_source(const CredentialSource& source,
                                                    const std::string& directory,
                                                    const CredentialContent& content);

}  // namespace keyturn
