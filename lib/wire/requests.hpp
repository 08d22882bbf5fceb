#pragma once

#include "model/rotation_request.hpp"
#include "wire/names.hpp"

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

struct sd_bus_message;

namespace keyturn {

inline constexpr std::size_t rotate_reason_bytes_max = 200;

/// More than a tunnel can have: at most 25 replicas (Cloudflare's documentation).
inline constexpr std::size_t rotate_units_max = 64;

/// UNIT_NAME_MAX of systemd, without the terminating zero.
inline constexpr std::size_t unit_name_bytes_max = 255;

/// A boolean option of Rotate.
struct RotateFlag {
    const char* name;
    bool (*get)(const RotationRequest&);
    void (*set)(RotationRequest&);
    bool is_kind = false;  ///< Says what the rotation is for, so only one of them may be true.
    bool later = false;    ///< Unknown to earlier versions, so it is only sent if it is true.
};

template <RotationKind kind>
constexpr RotateFlag kind_flag(const char* name, bool later) {
    return {name, [](const RotationRequest& request) { return request.kind == kind; },
            [](RotationRequest& request) { request.kind = kind; }, true, later};
}

inline constexpr const char* reason_option = "reason";
inline constexpr const char* units_option = "units";  ///< Only with `adopt` and `release`.
inline constexpr std::array rotate_flags{
    RotateFlag{"accept_gap", [](const RotationRequest& request) { return request.accept_gap; },
               [](RotationRequest& request) { request.accept_gap = true; }},
    kind_flag<RotationKind::compromise>("compromised", false),
    RotateFlag{"evict_all", [](const RotationRequest& request) { return request.evict_all; },
               [](RotationRequest& request) { request.evict_all = true; }},
    kind_flag<RotationKind::adopt>("adopt", true),
    kind_flag<RotationKind::release>("release", true),
};

/// Appends the options of Rotate as a{sv}. Returns at least 0, or a negative errno.
int append_options(sd_bus_message* call, const RotationRequest& request);

/// What an operator does to the fleet of a tunnel, on one of its hosts.
struct FleetCall {
    std::string command;   ///< One of `fleet_commands`.
    std::string argument;  ///< See there; may be empty.
};

/// A name for `FleetCall::command`, and what its argument is.
struct FleetCommandName {
    const char* name;
    const char* argument;
};

inline constexpr std::array fleet_commands{
    FleetCommandName{"init", "host"},   FleetCommandName{"join", "host"},
    FleetCommandName{"rejoin", "host"}, FleetCommandName{"decommission", "host"},
    FleetCommandName{"accept", "rev"},
};

inline constexpr std::size_t fleet_argument_bytes_max = 255;

/// The decisions of operators about a tunnel, besides Rotate.
enum class Decision {
    retry,   ///< Continue a rotation that is held.
    pause,   ///< Start no rotation and restart no further unit until `resume`.
    resume,  ///< End the pause.
    revert,  ///< Cancel an open rotation and return to the old token.
};

[[nodiscard]] constexpr ActingMethod method_of(Decision decision) {
    switch (decision) {
        case Decision::retry: return retry_method;
        case Decision::pause: return pause_method;
        case Decision::resume: return resume_method;
        case Decision::revert: break;
    }
    return revert_method;
}

}  // namespace keyturn
