#pragma once

#include "model/rotation_request.hpp"
#include "wire/names.hpp"

#include <array>
#include <cstddef>

struct sd_bus_message;

namespace keyturn {

inline constexpr std::size_t rotate_reason_bytes_max = 200;

/// A boolean option of Rotate.
struct RotateFlag {
    const char* name;
    bool (*get)(const RotationRequest&);
    void (*set)(RotationRequest&);
};

inline constexpr const char* reason_option = "reason";
inline constexpr std::array rotate_flags{
    RotateFlag{"accept_gap", [](const RotationRequest& request) { return request.accept_gap; },
               [](RotationRequest& request) { request.accept_gap = true; }},
    RotateFlag{
        "compromised",
        [](const RotationRequest& request) { return request.kind == RotationKind::compromise; },
        [](RotationRequest& request) { request.kind = RotationKind::compromise; }},
    RotateFlag{"evict_all", [](const RotationRequest& request) { return request.evict_all; },
               [](RotationRequest& request) { request.evict_all = true; }},
};

/// Appends all options of Rotate as a{sv}. Returns at least 0, or a negative errno.
int append_options(sd_bus_message* call, const RotationRequest& request);

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
