#include "status_json.hpp"

#include "tunnel_words.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <optional>

namespace keyturn {
namespace {

using Json = nlohmann::ordered_json;

constexpr int indent = 2;

/// "2026-03-01T02:30:00.250Z": with milliseconds, because programs compute with it.
Json time_json(const std::optional<WallTime>& moment) {
    if (!moment) return nullptr;
    const auto seconds = std::chrono::floor<std::chrono::seconds>(*moment);
    std::string text = to_text(*moment);
    text.pop_back();
    return fmt::format("{}.{:03}Z", text, (*moment - seconds).count());
}

Json text_json(const std::string& text) {
    if (text.empty()) return nullptr;
    return text;
}

Json seconds_json(const std::optional<Milliseconds>& duration) {
    if (!duration) return nullptr;
    return std::chrono::duration<double>(*duration).count();
}

Json number_json(int number) {
    if (number < 0) return nullptr;
    return number;
}

Json unit_json(const TunnelStatus& tunnel, const UnitStatus& unit) {
    const UnitHealth health = health_of(tunnel, unit);
    return {{"name", unit.name},
            {"step", text_json(unit.step)},
            {"batch", unit.batch > 0 ? Json(unit.batch) : Json(nullptr)},
            {"connections", number_json(unit.connections)},
            {"verified_by", text_json(unit.verified_by)},
            {"health", text_json(health.health)},
            {"token", text_json(health.token_age)},
            {"fingerprint", text_json(health.fingerprint)},
            {"baseline", number_json(health.baseline)}};
}

Json tunnel_json(const TunnelStatus& tunnel) {
    Json units = Json::array();
    for (const UnitStatus& unit : tunnel.units) units.push_back(unit_json(tunnel, unit));
    return {{"name", tunnel.name},
            {"tunnel", tunnel.tunnel},
            {"state", tunnel.state},
            {"kind", text_json(tunnel.kind)},
            {"phase", text_json(tunnel.phase)},
            {"reason", text_json(tunnel.reason)},
            {"hold_reason", text_json(tunnel.hold_reason)},
            {"rotation_id", text_json(tunnel.rotation_id)},
            {"last_outcome", text_json(tunnel.last_outcome)},
            {"trigger", text_json(tunnel.trigger)},
            {"fingerprint", text_json(tunnel.fingerprint)},
            {"batch", tunnel.batch_count > 0 ? Json(tunnel.batch) : Json(nullptr)},
            {"batch_count", tunnel.batch_count > 0 ? Json(tunnel.batch_count) : Json(nullptr)},
            {"units", std::move(units)},
            {"started", time_json(tunnel.started)},
            {"step_started", time_json(tunnel.step_started)},
            {"step_ends", time_json(tunnel.step_ends)},
            {"last_done", time_json(tunnel.last_done)},
            {"due", time_json(tunnel.due)},
            {"due_cause", text_json(tunnel.due_cause)},
            {"findings", tunnel.findings},
            {"notes", tunnel.notes},
            {"held_unit", text_json(tunnel.held_unit)},
            {"can_revert", tunnel.can_revert},
            {"evicted", tunnel.evicted},
            {"lockout_seconds", seconds_json(tunnel.lockout)},
            {"outage_seconds", seconds_json(tunnel.outage)},
            {"expected_end", time_json(tunnel.expected_end)},
            {"last_ended", time_json(tunnel.last_ended)},
            {"last_check", time_json(tunnel.last_check)},
            {"check_fails_since", time_json(tunnel.check_fails_since)}};
}

Json start_json(const PlannedStart& start) {
    return {{"due", time_json(start.due)},
            {"start", time_json(start.start)},
            {"end", time_json(start.end)},
            {"cause", start.cause},
            {"freeze", text_json(start.freeze)}};
}

Json plan_of(const TunnelPlan& plan) {
    Json starts = Json::array();
    for (const PlannedStart& start : plan.starts) starts.push_back(start_json(start));
    return {
        {"name", plan.name},   {"paused", plan.paused},   {"timezone", text_json(plan.timezone)},
        {"units", plan.units}, {"batches", plan.batches}, {"starts", std::move(starts)}};
}

std::string document_of(Json tunnels) {
    const Json document{{"tunnels", std::move(tunnels)}};
    return document.dump(indent, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace

std::string status_json(const std::vector<TunnelStatus>& tunnels) {
    Json list = Json::array();
    for (const TunnelStatus& tunnel : tunnels) list.push_back(tunnel_json(tunnel));
    return document_of(std::move(list));
}

std::string plan_json(const std::vector<TunnelPlan>& plans) {
    Json list = Json::array();
    for (const TunnelPlan& plan : plans) list.push_back(plan_of(plan));
    return document_of(std::move(list));
}

}  // namespace keyturn
