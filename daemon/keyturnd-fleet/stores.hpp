#pragma once

#include "base/result.hpp"
#include "keyturnd/fleets.hpp"
#include "policy/policy.hpp"
#include "shared_object/shared_object.hpp"

#include <memory>

namespace keyturn {

/// The object that the hosts of this tunnel share, in the store that the policy names: a bucket,
/// etcd, or a file. Connects to nothing yet.
[[nodiscard]] Result<std::shared_ptr<SharedObject>> store_of(const TunnelPolicy& policy,
                                                             const FleetsWorld& world);

}  // namespace keyturn
