#pragma once

#include "shared_object/shared_object.hpp"

namespace keyturn {

class Clock;

/// Shows on an object that does not exist yet whether its store obeys conditions: it has to create
/// the object once and not twice, and to replace only the present version. Waits where the store
/// says "later": R2 takes one write a second and key. Fails with `invalid` if the store breaks a
/// condition, and with the fault of the call if a call fails.
[[nodiscard]] Task<Result<void>> prove_conditions(SharedObject& scratch, Clock& clock);

/// Fails with `invalid` if the text is as long as nothing of keyturn is.
[[nodiscard]] Result<void> check_size_of_object(std::string_view text);

/// Fails with `invalid` unless `scratch` is made of letters, digits and "-".
[[nodiscard]] Result<void> check_scratch_name(std::string_view scratch);

}  // namespace keyturn
