#include "wire/names.hpp"

#include "wire/text.hpp"

#include <systemd/sd-bus.h>

#include <cstdlib>
#include <memory>

namespace keyturn {

std::string tunnel_path(const std::string& tunnel) {
    char* raw = nullptr;
    if (sd_bus_path_encode(tunnels_path, bus_text(tunnel).c_str(), &raw) < 0) return {};
    const std::unique_ptr<char, decltype(&std::free)> path(raw, &std::free);
    return path.get();
}

}  // namespace keyturn
