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
    text += fmt::format("      surge: {}\n      on_failure: {}\n", name_of(rollout.surge),
                        name_of(rollout.on_failure));
    return text;
}

/// "2026-12-20 18:00:00", as a freeze is written.
[[nodiscard]] inline std::string written(LocalTime time) {
    const auto day = std::chrono::floor<std::chrono::days>(time);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(time - day)};
    return fmt::format("\"{:04}-{:02}-{:02} {:02}:{:02}:{:02}\"", static_cast<int>(date.year()),
                       static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                       clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

/// One calendar at most: the two that cron may mean have no other way to be written.
[[nodiscard]] inline std::string written(const Schedule& schedule) {
    std::string text =
        fmt::format("    timezone: {}\n    rotate:\n", quoted(std::string{schedule.zone.name()}));
    if (schedule.calendars.empty())
        text += fmt::format("      every: {}\n", written(schedule.every));
    else
        text += fmt::format("      calendar: {}\n", quoted(schedule.calendars.front().text()));
    text +=
        fmt::format("      max_age: {}\n      splay: {}\n      min_interval: {}\n    windows:{}\n",
                    written(schedule.max_age), written(schedule.splay),
                    written(schedule.min_interval), schedule.windows.empty() ? " []" : "");
    for (const Window& window : schedule.windows)
        text += fmt::format("      - start: {}\n        length: {}\n", quoted(window.start.text()),
                            written(window.length));
    text += fmt::format("    freeze:{}\n", schedule.freezes.empty() ? " []" : "");
    for (const Freeze& freeze : schedule.freezes) {
        text += fmt::format("      - from: {}\n        to: {}\n", written(freeze.from),
                            written(freeze.to));
        if (!freeze.why.empty()) text += fmt::format("        why: {}\n", quoted(freeze.why));
    }
    return text;
}

/// "KEY:" with the one source that is set; nothing if none is.
[[nodiscard]] inline std::string written(const char* key, const CredentialSource& source) {
    if (source == CredentialSource{}) return {};
    return fmt::format("      {}:\n        {}: {}\n", key,
                       source.file.empty() ? "credential" : "file",
                       quoted(source.file.empty() ? source.credential : source.file));
}

/// Only what the kind takes: the rest is empty, or a default.
[[nodiscard]] inline std::string written(const Coordinator& coordinator) {
    const auto line = [](const char* key, const std::string& value) {
        return value.empty() ? "" : fmt::format("      {}: {}\n", key, quoted(value));
    };
    std::string text = fmt::format("    coordinator:\n      kind: {}\n      lead: {}\n",
                                   name_of(coordinator.kind), coordinator.lead);
    const bool is_bucket = coordinator.kind == CoordinatorKind::bucket;
    if (is_bucket) text += line("region", coordinator.region);
    if (coordinator.kind != CoordinatorKind::file) text += line("prefix", coordinator.prefix);
    text += line("ca_file", coordinator.ca_file) + line("endpoint", coordinator.endpoint) +
            line("bucket", coordinator.bucket) + line("cert_file", coordinator.cert_file) +
            line("key_file", coordinator.key_file) + line("user", coordinator.user) +
            line("path", coordinator.path);
    if (!coordinator.endpoints.empty()) text += "      endpoints:\n";
    for (const std::string& url : coordinator.endpoints)
        text += fmt::format("        - {}\n", quoted(url));
    return text + written("credential", coordinator.credential) +
           written("password", coordinator.password) + written("fleet_key", coordinator.fleet_key);
}

/// One value a line, because a line of a policy has a limit.
[[nodiscard]] inline std::string written(const TunnelPolicy& tunnel) {
    std::string text = fmt::format("  {}:\n    account: {}\n    tunnel: {}\n", quoted(tunnel.name),
                                   quoted(tunnel.account), quoted(tunnel.tunnel));
    if (!tunnel.credential.empty())
        text += fmt::format("    credential: {}\n", quoted(tunnel.credential));
    text += "    units:\n";
    for (const std::string& unit : tunnel.units) text += fmt::format("      - {}\n", quoted(unit));
    if (!tunnel.metrics_addresses.empty()) text += "    metrics_address:\n";
    for (const auto& [unit, address] : tunnel.metrics_addresses)
        text += fmt::format("      {}: {}\n", quoted(unit), quoted(address));
    text += written(tunnel.schedule);
    text += "    rollout:\n" + written(tunnel.rollout);
    if (tunnel.coordinator) text += written(*tunnel.coordinator);
    text += fmt::format("    drift:\n      interval: {}\n      restart: {}\n",
                        written(tunnel.drift.interval), name_of(tunnel.drift.restart));
    return text;
}

/// The policy as YAML, every value given.
[[nodiscard]] inline std::string written(const Policy& policy) {
    std::string text =
        fmt::format("version: 1\ncloudflare:\n  api_url: {}\n", quoted(policy.cloudflare.api_url));
    if (const std::string& file = policy.cloudflare.ca_file; !file.empty())
        text += fmt::format("  ca_file: {}\n", quoted(file));
    if (const ProxyPolicy& proxy = policy.cloudflare.proxy; !proxy.url.empty()) {
        text += fmt::format("  proxy:\n    url: {}\n", quoted(proxy.url));
        if (const std::string& name = proxy.login.credential; !name.empty())
            text += fmt::format("    credential: {}\n", quoted(name));
        if (const std::string& file = proxy.login.file; !file.empty())
            text += fmt::format("    file: {}\n", quoted(file));
        text += fmt::format("    no_proxy:{}\n", proxy.no_proxy.empty() ? " []" : "");
        for (const std::string& host : proxy.no_proxy)
            text += fmt::format("      - {}\n", quoted(host));
    }
    if (!policy.cloudflare.credentials.empty()) text += "  credentials:\n";
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
