#include "token/digest.hpp"

#include "base/invariant.hpp"
#include "base/secret.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <array>

namespace keyturn {

std::string sha256_hex(std::initializer_list<std::string_view> pieces) {
    Secret text;
    for (const std::string_view piece : pieces) text.append(piece);
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    const int done =
        EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
    invariant(done == 1, "SHA-256 is always available");
    return fmt::format("{:02x}", fmt::join(digest.data(), digest.data() + size, ""));
}

}  // namespace keyturn
