#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <optional>
#include <string>

namespace keyturn {

/// The Cloudflare API token of this host, as systemd passes it to keyturnd.
class ApiCredential {
  public:
    /// The stored token; nothing if there is none. Decrypts it if necessary.
    [[nodiscard]] static Result<std::optional<Secret>> stored();

    /// True if an interrupted run has left it in two places, or encrypted without a use.
    [[nodiscard]] static bool is_half_stored();

    /// False if keyturnd runs with another token: it reads the token only when it starts.
    [[nodiscard]] static bool is_in_use(const Secret& token);

    /// Reads the token from a file, or from standard input for "-".
    [[nodiscard]] static Result<Secret> from_file(const std::string& path);

    /// Stores the token with mode 0600: encrypted with this host's key if systemd can do that,
    /// never with its TPM, which an upgrade of the firmware may lock. Returns how it is stored, for
    /// a person.
    [[nodiscard]] static Result<std::string> store(const Secret& token, bool plain);
};

/// The login of the proxy, as systemd passes it to keyturnd. It protects less than the API token,
/// so it is not encrypted.
class ProxyLogin {
  public:
    /// True if there is no login, or the same one is stored.
    [[nodiscard]] static bool is_stored(const Secret& login);

    /// Stores it with mode 0600, and returns where.
    [[nodiscard]] static Result<std::string> store(const Secret& login);
};

}  // namespace keyturn
