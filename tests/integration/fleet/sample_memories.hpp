#pragma once

#include "fleet/memory.hpp"

#include <string>

namespace keyturn {

/// What a host knows at this version of the object.
inline FleetMemories sample_memories(std::uint64_t rev) {
    FleetMemories memories;
    memories.host = "host-a.example";
    memories.install = "0123456789abcdef0123456789abcdef";
    memories.fleet = "f1e2d3c4b5a6978877665544332211f0";
    memories.rev = rev;
    memories.mark = "0011223344556677";
    memories.mark_pending = "8899aabbccddeeff";
    return memories;
}

}  // namespace keyturn
