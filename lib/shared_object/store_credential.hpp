#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "shared_object/aws_signature.hpp"

#include <functional>
#include <string>
#include <string_view>

namespace keyturn {

/// Reads the text of a credential for one call, or gives the error with which the call fails. A
/// store keeps nothing of it.
using ReadStoreCredential = std::function<Result<Secret>()>;

/// Finds `ACCESS_KEY_ID SECRET_ACCESS_KEY` in the text of a credential: two words, with white space
/// between and around them. The error is `denied`, with a clause that says what is wrong and never
/// quotes the text.
[[nodiscard]] Result<AwsCredential> find_bucket_credential(std::string_view text);

/// Finds a password in the text of a credential: one line, without the line end. The error is
/// `denied` and never quotes the text.
[[nodiscard]] Result<std::string_view> find_store_password(std::string_view text);

}  // namespace keyturn
