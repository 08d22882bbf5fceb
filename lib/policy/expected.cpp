#include "policy/expected.hpp"

#include <algorithm>

namespace keyturn {
namespace {

/// From the stop of a cloudflared to its four new connections. An estimate; measured restarts vary.
constexpr std::chrono::seconds restart_time{5};

}  // namespace

Milliseconds expected_duration(const RolloutPolicy& rollout, std::size_t units) {
    const auto count = static_cast<Milliseconds::rep>(units);
    const auto batches = std::min<Milliseconds::rep>(rollout.batches, count);
    // The last batch does not soak. keyturnd only makes sure that it stays up.
    return rollout.settle + count * (restart_time + rollout.min_healthy_time) +
           std::max<Milliseconds::rep>(batches - 1, 0) * rollout.soak + rollout.min_healthy_time;
}

}  // namespace keyturn
