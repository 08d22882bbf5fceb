#pragma once

#include "base/unique_fd.hpp"

#include <string>
#include <sys/types.h>
#include <vector>

namespace keyturn::testing {

/// Where the output of keyturnctl goes: a terminal has 80 columns.
enum class Output { pipe, terminal, terminal_without_colour, dumb_terminal };

/// A keyturnctl that runs beside the test, on the bus of the test. What it writes to stdout and
/// stderr is collected in one text.
class KeyturnctlProcess {
  public:
    KeyturnctlProcess(const std::string& bus_address, std::vector<std::string> arguments,
                      Output output = Output::pipe);
    ~KeyturnctlProcess();
    KeyturnctlProcess(const KeyturnctlProcess&) = delete;
    KeyturnctlProcess& operator=(const KeyturnctlProcess&) = delete;

    /// Collects what it has written; true when it has ended.
    [[nodiscard]] bool ended();
    [[nodiscard]] const std::string& output() const { return output_; }
    [[nodiscard]] bool has_said(const std::string& text);
    [[nodiscard]] int exit_code() const { return exit_code_; }
    void interrupt();

    /// Gives the terminal another width, and says so to keyturnctl.
    void resize(unsigned short columns);

    /// CPU time used so far, in milliseconds.
    [[nodiscard]] long cpu_milliseconds() const;

  private:
    void collect();

    UniqueFd end_;
    pid_t process_ = -1;
    int exit_code_ = -1;
    std::string output_;
};

}  // namespace keyturn::testing
