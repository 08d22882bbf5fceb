#pragma once

#include "policy/policy.hpp"

#include <fmt/format.h>

#include <string>

namespace keyturn::fuzz {

[[nodiscard]] inline std::string quoted(const std::string& text) {
    std::string result = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') result += '\\';
        result += c;
    }
    return result + '"';
}

[[nodiscard]] inline std::string written(Milliseconds duration) {
    return fmt::format("{}ms", duration.count());
}

[[nodiscard]] inline std::string written(const RolloutPolicy& rollout) {
    std::string text = fmt::format(
        "      batches: {}\n      canary: {}\n      settle: {}\n      soak: {{min: {}, max: {}}}\n",
        rollout.batches, rollout.canary, written(rollout.settle), written(rollout.soak_min),
        written(rollout.soak));
    text += fmt::format("      min_available: {}\n      min_healthy_time: {}\n",
                        rollout.min_available, written(rollout.min_healthy_time));
    text += fmt::format(
        "      healthy_deadline: {}\n      progress_deadline: {}\n      accept_gap: {}\n",
        written(rollout.healthy_deadline), written(rollout.progress_deadline), rollout.accept_gap);
    text +=
        fmt::format("      surge: {}\n      on_failure: {}\n", rollout.surge, rollout.on_failure);
    return text;
}

/// One value a line, because a line of a policy has a limit.
[[nodiscard]] inline std::string written(const TunnelPolicy& tunnel) {
    std::string text =
        fmt::format("  {}:\n    account: {}\n    tunnel: {}\n    credential: {}\n    units:\n",
                    quoted(tunnel.name), quoted(tunnel.account), quoted(tunnel.tunnel),
                    quoted(tunnel.credential));
    for (const std::string& unit : tunnel.units) text += fmt::format("      - {}\n", quoted(unit));
    text += fmt::format("    rotate:\n      every: {}\n      min_interval: {}\n    rollout:\n",
                        written(tunnel.rotate.every), written(tunnel.rotate.min_interval));
    text += written(tunnel.rollout);
    text += fmt::format("    drift:\n      interval: {}\n      restart: {}\n",
                        written(tunnel.drift.interval), tunnel.drift.restart);
    return text;
}

/// The policy as YAML, every value given.
[[nodiscard]] inline std::string written(const Policy& policy) {
    std::string text =
        fmt::format("version: 1\ncloudflare:\n  api_url: {}\n", quoted(policy.cloudflare.api_url));
    if (const std::string& file = policy.cloudflare.ca_file; !file.empty())
        text += fmt::format("  ca_file: {}\n", quoted(file));
    text += "  credentials:\n";
    for (const auto& [name, source] : policy.cloudflare.credentials) {
        text += fmt::format("    {}:\n      {}: {}\n", quoted(name),
                            source.file.empty() ? "credential" : "file",
                            quoted(source.file.empty() ? source.credential : source.file));
    }
    text += "tunnels:\n";
    for (const TunnelPolicy& tunnel : policy.tunnels) text += written(tunnel);
    return text;
}

}  // namespace keyturn::fuzz
