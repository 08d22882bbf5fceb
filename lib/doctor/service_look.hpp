#pragma once

#include "base/result.hpp"
#include "bus/bus.hpp"
#include "doctor/facts.hpp"

#include <string>

namespace keyturn {

/// Reads the settings of services from systemd, over a connection of its own. Each call waits for
/// its answer, for a few seconds at most.
class ServiceLook {
  public:
    [[nodiscard]] static Result<ServiceLook> open();

    /// What systemd says about a service; empty values for one that it does not know.
    [[nodiscard]] ServiceSeen service(const std::string& unit);

    /// A property of systemd itself, such as "Version"; empty if there is no answer.
    [[nodiscard]] std::string manager_text(const char* property);

    /// True if the unit is active.
    [[nodiscard]] bool is_active(const std::string& unit);

  private:
    explicit ServiceLook(BusHandle bus) : bus_(std::move(bus)) {}

    [[nodiscard]] std::string path_of(const std::string& unit);
    [[nodiscard]] std::string text(const std::string& path, const char* interface,
                                   const char* property);
    [[nodiscard]] Milliseconds duration(const std::string& path, const char* interface,
                                        const char* property);

    BusHandle bus_;
};

}  // namespace keyturn
