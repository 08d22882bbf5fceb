#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <cstddef>
#include <memory>
#include <string>

namespace keyturn {

/// The source of new secrets.
class Random {
  public:
    virtual ~Random() = default;

    /// Returns `size` bytes of key quality. Fails with `Fault::unreachable` if the generator has no
    /// entropy; never returns weaker bytes.
    [[nodiscard]] virtual Result<Secret> bytes(std::size_t size) = 0;
};

/// So many random hex digits, for an id that nobody has to keep secret. Fails like `bytes`.
[[nodiscard]] Result<std::string> random_hex(Random& random, std::size_t digits);

/// OpenSSL's generator.
[[nodiscard]] std::unique_ptr<Random> make_random();

}  // namespace keyturn
