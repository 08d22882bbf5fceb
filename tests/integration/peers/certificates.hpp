#pragma once

#include <string>

namespace keyturn {

/// Whether the authority signs itself, or through another one below it.
enum class Intermediate {
    none,
    sent,     ///< The server shows it with its own certificate, as it has to.
    missing,  ///< The server keeps it to itself.
};

/// What a certificate of the test server says. Each is wrong in one way at most.
struct CertificateWish {
    std::string names = "DNS:localhost, IP:127.0.0.1";  ///< subjectAltName, in OpenSSL's words.
    std::string common_name = "localhost";
    int valid_from_days = -1;  ///< Relative to now.
    int valid_to_days = 1;
    bool self_signed = false;
    Intermediate intermediate = Intermediate::none;
};

/// PEM of a certificate (and of the one above it, if it is sent) and of its key.
struct Identity {
    std::string certificate;
    std::string key;
};

/// A certificate authority that lives as long as the test program: EC P-256, made at first use.
[[nodiscard]] const Identity& test_authority();

/// A file with the authority's certificate, for `ca_file`. Removed at the program's end.
[[nodiscard]] const std::string& test_authority_file();

[[nodiscard]] Identity make_identity(const CertificateWish& wish);

}  // namespace keyturn
