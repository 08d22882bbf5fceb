#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "delivery/token_store.hpp"
#include "fleet/document.hpp"
#include "policy/policy.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

class Random;

/// The keys of a fleet, as the file has them: lines "ID HEX", 32 random bytes each. The first one
/// is used for writing, all for reading. ID: 1 to 16 letters, digits and "-".
class FleetKeys {
  public:
    /// Fails with `invalid` and names the line. Ignores empty lines and lines that begin with "#".
    [[nodiscard]] static Result<FleetKeys> read(std::string_view text);

    [[nodiscard]] std::vector<std::string> ids() const;

    /// Hex HMAC-SHA256 of `text`, under the key for MACs that HKDF-SHA256 derives for this tunnel
    /// from the key `id` ("keyturn mac 1 TUNNEL"). Nothing if there is no such key.
    [[nodiscard]] std::optional<std::string> mac(std::string_view id, std::string_view tunnel,
                                                 std::string_view text) const;

    /// AES-256-GCM under the key "keyturn seal 1 TUNNEL" of the first key, with a random nonce, and
    /// "keyturn-seal-1|FLEET|TUNNEL|ROTATION|KEYID" as additional data.
    [[nodiscard]] Result<SealedTokens> seal(const FleetDocument& document, Random& random,
                                            const PendingTokens& tokens) const;

    /// Fails with `missing` if nothing is sealed, with `denied` if this host does not have the key
    /// or the seal is broken, and with `invalid` if it is whole, but the tokens are not of this
    /// tunnel. Which of them a token file has to hold, `FleetDocument::deliver` says.
    [[nodiscard]] Result<PendingTokens> unseal(const FleetDocument& document) const;

  private:
    struct Key {
        std::string id;
        Secret bytes;
    };
    [[nodiscard]] const Key* find(std::string_view id) const;

    std::vector<Key> keys_;
};

/// True for what a key can be called.
[[nodiscard]] bool is_fleet_key_id(std::string_view id);

/// Reads the file of keys that the policy names, with the checks of `read_credential_source`.
[[nodiscard]] Result<FleetKeys> read_fleet_keys(const CredentialSource& source,
                                                const std::string& directory);

}  // namespace keyturn
