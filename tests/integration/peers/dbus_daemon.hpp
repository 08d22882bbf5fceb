#pragma once

#include "bus/bus.hpp"

#include <string>
#include <sys/types.h>

namespace keyturn::testing {

/// A real dbus-daemon of the test's own, in a directory of its own. Everybody may own and call
/// anything on it: who may do what is what the tests ask the service.
class DbusDaemon {
  public:
    DbusDaemon();
    ~DbusDaemon();
    DbusDaemon(const DbusDaemon&) = delete;
    DbusDaemon& operator=(const DbusDaemon&) = delete;

    void start();
    void stop();

    [[nodiscard]] std::string address() const { return "unix:path=" + directory_ + "/socket"; }

    /// Connects as this user, which takes root.
    [[nodiscard]] Bus::Opener opener(uid_t user) const;

  private:
    std::string directory_;
    pid_t process_ = -1;
};

}  // namespace keyturn::testing
