#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <memory>

namespace keyturn {

/// The source of new secrets.
class Random {
  public:
    virtual ~Random() = default;

    /// Returns `size` bytes of key quality. Fails with `Fault::unreachable` if the generator has no
    /// entropy; never returns weaker bytes.
    [[nodiscard]] virtual Result<Secret> bytes(std::size_t size) = 0;
};

/// OpenSSL's generator.
[[nodiscard]] std::unique_ptr<Random> make_random();

}  // namespace keyturn
