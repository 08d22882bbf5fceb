#pragma once

#include "base/unique_fd.hpp"

#include <string>
#include <sys/types.h>
#include <vector>

namespace keyturn {

/// A program that runs beside the test, and ends with it. Its stderr goes to a file.
class ChildProcess {
  public:
    ChildProcess(const std::vector<std::string>& words, const std::string& log);
    ~ChildProcess();
    ChildProcess(const ChildProcess&) = delete;
    ChildProcess& operator=(const ChildProcess&) = delete;

    /// Waits for the first line that it writes to stdout. Empty if it ends without one.
    [[nodiscard]] std::string first_line();

    void send(int signal) const;
    void kill();

  private:
    UniqueFd output_;
    pid_t process_ = -1;
};

}  // namespace keyturn
