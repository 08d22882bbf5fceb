#include "keyturnd/service_status.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace keyturn {

namespace {

std::string describe(const TunnelStatus& tunnel) {
    if (tunnel.state == "held") return fmt::format("{} HELD: {}", tunnel.name, tunnel.reason);
    if (tunnel.state == "waiting") return fmt::format("{} waits: {}", tunnel.name, tunnel.reason);
    if (tunnel.state == "paused") return fmt::format("{} is paused", tunnel.name);
    std::string text = fmt::format("{}: {}", tunnel.name, tunnel.phase);
    if (tunnel.batch > 0) text += fmt::format(" batch {}/{}", tunnel.batch, tunnel.batch_count);
    if (tunnel.phase == "soak" && tunnel.step_ends) {
        text += fmt::format(" until {}", to_text(*tunnel.step_ends));
    }
    return text;
}

std::string next_due_line(const std::vector<TunnelStatus>& tunnels) {
    const TunnelStatus* next = nullptr;
    for (const TunnelStatus& tunnel : tunnels) {
        if (!tunnel.due) continue;
        if (next == nullptr || *tunnel.due < *next->due) next = &tunnel;
    }
    const std::string count =
        fmt::format("{} tunnel{}", tunnels.size(), tunnels.size() == 1 ? "" : "s");
    if (next == nullptr) return count + ", rotated on demand only";
    return fmt::format("{}, next: {} due {}", count, next->name, to_text(*next->due));
}

}  // namespace

std::string service_status(const std::vector<TunnelStatus>& tunnels) {
    std::vector<std::string> parts;
    for (const char* state : {"held", "waiting", "paused", "running"}) {
        for (const TunnelStatus& tunnel : tunnels) {
            if (tunnel.state == state) parts.push_back(describe(tunnel));
        }
    }
    if (parts.empty()) return next_due_line(tunnels);
    return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace keyturn
