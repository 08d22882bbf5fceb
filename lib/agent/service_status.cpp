#include "agent/service_status.hpp"

#include "base/counted.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <utility>

namespace keyturn {

namespace {

std::string describe(const TunnelStatus& tunnel) {
    if (tunnel.state == "held") return fmt::format("{} HELD: {}", tunnel.name, tunnel.reason);
    if (tunnel.state == "waiting")
        return fmt::format("{} is waiting: {}", tunnel.name, tunnel.reason);
    if (tunnel.state == "paused") return fmt::format("{} is paused", tunnel.name);
    std::string text = fmt::format("{}: {}", tunnel.name, tunnel.phase);
    if (tunnel.batch > 0) text += fmt::format(" batch {}/{}", tunnel.batch, tunnel.batch_count);
    if (tunnel.phase == "soak" && tunnel.step_ends) {
        text += fmt::format(" until {}", to_text(*tunnel.step_ends));
    }
    return text;
}

/// systemd drops a message that is too long. `keyturnctl status` shows everything.
constexpr std::size_t parts_max = 5;
constexpr std::size_t part_bytes_max = 400;

std::string shortened(std::string part) {
    if (part.size() <= part_bytes_max) return part;
    std::size_t end = part_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(part[end]) & 0xC0U) == 0x80) --end;
    return part.substr(0, end) + "...";
}

/// The number of findings, and the first of them.
std::string findings_line(const std::vector<TunnelStatus>& tunnels) {
    const TunnelStatus* first = nullptr;
    std::size_t count = 0;
    for (const TunnelStatus& tunnel : tunnels) {
        if (first == nullptr && !tunnel.findings.empty()) first = &tunnel;
        count += tunnel.findings.size();
    }
    if (first == nullptr) return {};
    const std::string head = counted(count, "finding", "findings, first");
    return fmt::format("{}: {}: {}", head, first->name, first->findings.front());
}

std::string next_due_line(const std::vector<TunnelStatus>& tunnels) {
    const TunnelStatus* next = nullptr;
    for (const TunnelStatus& tunnel : tunnels) {
        if (!tunnel.due) continue;
        if (next == nullptr || *tunnel.due < *next->due) next = &tunnel;
    }
    const std::string count = counted(tunnels.size(), "tunnel");
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
    if (parts.empty()) parts.push_back(next_due_line(tunnels));
    if (parts.size() > parts_max) {
        const std::string more = fmt::format("{} more", parts.size() - parts_max);
        parts.resize(parts_max);
        parts.push_back(more);
    }
    if (std::string findings = findings_line(tunnels); !findings.empty())
        parts.push_back(std::move(findings));
    std::ranges::transform(parts, parts.begin(), shortened);
    return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace keyturn
