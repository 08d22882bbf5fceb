#pragma once

#include "time/moment.hpp"

#include <memory>
#include <optional>
#include <string>

namespace keyturn {

/// What we tell our service manager (sd_notify). Silent when there is none.
class Notifier {
  public:
    virtual ~Notifier() = default;

    virtual void ready(const std::string& status) = 0;
    virtual void status(const std::string& status) = 0;  ///< One line, in `systemctl status`.
    /// A reload has begun; `ready` ends it.
    virtual void reloading() {}
    virtual void stopping() = 0;
    virtual void watchdog() = 0;

    /// Half of WATCHDOG_USEC, when a watchdog is set for us: how often to call `watchdog()`.
    [[nodiscard]] virtual std::optional<Milliseconds> watchdog_interval() const = 0;
};

[[nodiscard]] std::unique_ptr<Notifier> make_notifier();

}  // namespace keyturn
