#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"

#include <memory>

namespace keyturn {

/// Where new secrets come from.
class Random {
  public:
    virtual ~Random() = default;

    /// `size` bytes fit for a key. Fails with `Fault::unreachable` when the generator has no
    /// entropy; never returns weaker bytes.
    [[nodiscard]] virtual Result<Secret> bytes(std::size_t size) = 0;
};

/// OpenSSL's generator.
[[nodiscard]] std::unique_ptr<Random> make_random();

}  // namespace keyturn
