#include "token/random.hpp"

#include "base/invariant.hpp"
#include "token/digest.hpp"

#include <openssl/rand.h>

namespace keyturn {
namespace {

constexpr std::size_t random_size_max = 1024;

class OpensslRandom final : public Random {
  public:
    Result<Secret> bytes(std::size_t size) override {
        invariant(size > 0 && size <= random_size_max, "a secret has between 1 and 1024 bytes");
        Secret secret(size);
        // The generator that OpenSSL keeps for secrets. Nonces are made with it, too: what is seen
        // of its output does not tell the rest.
        auto* const memory = reinterpret_cast<unsigned char*>(secret.data());
        if (RAND_priv_bytes(memory, static_cast<int>(size)) != 1) {
            return Error{Fault::unreachable, "the random number generator has no entropy"};
        }
        return secret;
    }
};

}  // namespace

Result<std::string> random_hex(Random& random, std::size_t digits) {
    const Result<Secret> bytes = random.bytes((digits + 1) / 2);
    if (!bytes) return bytes.error();
    return sha256_hex({bytes->reveal()}).substr(0, digits);
}

std::unique_ptr<Random> make_random() {
    return std::make_unique<OpensslRandom>();
}

}  // namespace keyturn
