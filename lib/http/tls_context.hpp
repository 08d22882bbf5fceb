#pragma once

#include "base/result.hpp"

#include <boost/asio/ssl/context.hpp>

#include <memory>
#include <string>

namespace keyturn {

using TlsContext = std::shared_ptr<boost::asio::ssl::context>;

/// The PEM files of TLS. Each may be empty.
struct TlsFiles {
    std::string ca_file;
    std::string cert_file;  ///< Of the client, with the certificates between it and its authority.
    std::string key_file;   ///< Without a pass phrase.
};

/// Makes what all TLS connections of a client share: the trusted authorities, TLS 1.3 or 1.2 with
/// forward secrecy and authenticated encryption, and plaintext that OpenSSL wipes after use.
///
/// Trusts the authorities in `ca_file` (PEM). If it is empty, it trusts what OpenSSL trusts on this
/// host: SSL_CERT_DIR and SSL_CERT_FILE where they are set, else OpenSSL's own directory and file.
/// A directory with hash links (openssl-rehash(1ssl)) is asked first, because it costs one small
/// file and not a parsed bundle of 140 authorities; the bundle is read only if the directory does
/// not know the issuer.
///
/// Nobody but root and the user of this process may read `key_file`, or change it or a directory on
/// the way to it.
///
/// Fails with `Fault::invalid` if a file cannot be used, and with `denied` if others can read or
/// change the private key. The text names the file and the remedy.
[[nodiscard]] Result<TlsContext> make_tls_context(const TlsFiles& files);

}  // namespace keyturn
