#pragma once

#include "model/rotation_request.hpp"
#include "wire/names.hpp"

#include <array>
#include <cstddef>

struct sd_bus_message;

namespace keyturn {

inline constexpr std::size_t rotate_reason_bytes_max = 200;

/// An option of Rotate that is a boolean.
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

/// Appends the options of Rotate, all of them: a{sv}. Zero or more, or a negative errno.
int append_options(sd_bus_message* call, const RotationRequest& request);

/// What an operator may decide about a tunnel besides.
enum class Decision {
    retry,   ///< Go on with a rotation that is held.
    pause,   ///< No rotation and no further restart until `resume`.
    resume,  ///< End of the pause.
    revert,  ///< Call an open rotation off, and go back to the token from before.
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
