#pragma once

#include "time/moment.hpp"

#include <memory>
#include <optional>
#include <string>

namespace keyturn {

/// Notifies the service manager (sd_notify(3)). Does nothing if there is none.
class Notifier {
  public:
    virtual ~Notifier() = default;

    virtual void ready(const std::string& status) = 0;
    virtual void status(const std::string& status) = 0;  ///< One line, in `systemctl status`.
    /// A reload has begun. `ready` ends it.
    virtual void reloading() {}
    virtual void stopping() = 0;
    virtual void watchdog() = 0;

    /// How often to call `watchdog()`: half of WATCHDOG_USEC (as sd_watchdog_enabled(3)
    /// recommends); nothing if no watchdog is set.
    [[nodiscard]] virtual std::optional<Milliseconds> watchdog_interval() const = 0;
};

[[nodiscard]] std::unique_ptr<Notifier> make_notifier();

}  // namespace keyturn
