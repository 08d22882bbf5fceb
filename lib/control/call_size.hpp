#pragma once

#include <systemd/sd-bus.h>

#include <cstddef>

namespace keyturn {

/// No name of ours is as long as this.
inline constexpr std::size_t argument_bytes_max = 1'024;

/// A filter of sd-bus: refuses method calls that begin with a longer text, before anybody copies it
/// (sd-bus quotes unknown names in its own errors, and copies those twice). The bus daemon lets
/// calls of 32 MiB through.
int refuse_huge_call(sd_bus_message* message, void* nothing, sd_bus_error* error);

}  // namespace keyturn
