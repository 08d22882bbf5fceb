// How long a policy of 1,000 tunnels takes: to be checked, and to be planned. Prints both and fails
// above the limits that keyturnctl and keyturnd are made for.
#include "policy/expected.hpp"
#include "policy/policy_file.hpp"
#include "schedule/due.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <vector>

using namespace keyturn;

namespace {

constexpr int tunnels = 1000;
constexpr int rounds = 9;
constexpr std::chrono::milliseconds check_limit{200};
constexpr std::chrono::milliseconds plan_limit{20};

std::string policy_text() {
    std::string text = R"(version: 1
cloudflare: {credentials: {main: {credential: cloudflare-api-token}}}
defaults:
  account: 699d98642c564d2e855e9661899b7252
  credential: main
  timezone: Europe/Berlin
  rotate: {every: 30d, max_age: 45d}
  windows:
    - {start: "Sat,Sun 02:00", length: 4h}
    - {start: "Wed 22:00", length: 2h}
  freeze: [{from: 2026-12-20, to: 2027-01-04, why: year end}]
tunnels:
)";
    for (int i = 0; i < tunnels; ++i) {
        text += fmt::format(
            "  t{0}:\n    tunnel: 00000000-0000-0000-0000-{0:012}\n"
            "    units: [\"cloudflared-t{0}@*.service\"]\n    rollout: {{soak: 20m}}\n",
            i);
    }
    return text;
}

/// The median of some rounds.
template <class Work>
std::chrono::microseconds time_of(Work work) {
    std::vector<std::chrono::microseconds> times;
    for (int round = 0; round < rounds; ++round) {
        const auto begun = std::chrono::steady_clock::now();
        work();
        const auto took = std::chrono::steady_clock::now() - begun;
        times.push_back(std::chrono::duration_cast<std::chrono::microseconds>(took));
    }
    std::ranges::nth_element(times, times.begin() + rounds / 2);
    return times[rounds / 2];
}

bool report(const char* what, std::chrono::microseconds took, std::chrono::milliseconds limit) {
    const bool kept = took <= limit;
    fmt::print("{} {} tunnels: {:.1f} ms (limit {} ms){}\n", what, tunnels,
               static_cast<double>(took.count()) / 1000, limit.count(), kept ? "" : " TOO LONG");
    return kept;
}

}  // namespace

int main() {
    const std::string text = policy_text();
    PolicyOutcome outcome;
    const auto checked = time_of([&] { outcome = parse_policy(text, "keyturn.yaml"); });
    const auto* const policy = std::get_if<Policy>(&outcome);
    if (policy == nullptr || policy->tunnels.size() != tunnels) {
        fmt::print("the policy of this benchmark is wrong\n");
        return 1;
    }
    const WallTime now = std::chrono::sys_days{std::chrono::year{2026} / 12 / 1};
    std::size_t starts = 0;
    const auto planned = time_of([&] {
        starts = 0;
        for (const TunnelPolicy& tunnel : policy->tunnels) {
            const TokenAge age{now - std::chrono::days{20}};
            const StartPlan plan{expected_duration(tunnel.rollout, 2), 0.5};
            const auto next = next_due(tunnel.schedule, age, plan, now);
            starts += next && next->start ? 1U : 0U;
        }
    });
    const bool all_planned = starts == tunnels;
    const bool kept = report("checking", checked, check_limit);
    return report("planning", planned, plan_limit) && kept && all_planned ? 0 : 1;
}
