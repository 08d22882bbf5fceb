#pragma once

#include <systemd/sd-bus.h>

#include <cstddef>

namespace keyturn {

/// No valid argument is this long.
inline constexpr std::size_t argument_bytes_max = 1'024;

/// An sd-bus filter. It refuses method calls with a longer leading string before sd-bus copies the
/// string: sd-bus quotes unknown names in its errors, and copies those twice. The bus daemon allows
/// calls of up to 32 MiB.
int refuse_huge_call(sd_bus_message* message, void* nothing, sd_bus_error* error);

}  // namespace keyturn
