#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"
#include "model/unit_state.hpp"
#include "time/moment.hpp"

#include <map>
#include <optional>
#include <string>

namespace keyturn {

class Bus;

/// The units that ran when all their properties were read. Two small questions find out whether one
/// of them still runs in the same invocation: then nothing else about its state can have changed,
/// and nobody has to send and read 300 properties again.
class RunningUnits {
  public:
    /// `bus` must outlive this. systemd has `patience` for its answers.
    RunningUnits(Bus& bus, Milliseconds patience) : bus_(bus), patience_(patience) {}

    /// Remembers the unit if it runs, and forgets it otherwise.
    void note(const UnitState& state);

    /// The state of a unit that runs as it did; nothing if all its properties have to be read.
    Task<std::optional<UnitState>> still_running(std::string unit);

  private:
    Bus& bus_;
    Milliseconds patience_;
    std::map<std::string, UnitState> units_;
};

}  // namespace keyturn
