#pragma once

#include "base/result.hpp"
#include "http/tls_context.hpp"

#include <openssl/ssl.h>

namespace keyturn {

/// Makes TLS show the certificate of `files` to servers that ask for one. Checks who can read and
/// change the private key. Fails as `make_tls_context` does.
[[nodiscard]] Result<void> show_certificate(SSL_CTX* context, const TlsFiles& files);

}  // namespace keyturn
