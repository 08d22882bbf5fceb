#pragma once

#include "asio/baton.hpp"
#include "asio/task.hpp"
#include "base/result.hpp"
#include "time/moment.hpp"
#include "units/polkit.hpp"

#include <optional>
#include <string>

namespace keyturn {

class Bus;

/// Asks what polkit would say, without doing anything to a unit. polkit's CheckAuthorization
/// answers only the owner of an action. So this asks systemd for the real operation, in a mode that
/// systemd refuses only after it has asked polkit.
class Permissions {
  public:
    /// `bus` must outlive this. A question without an answer within `patience` fails.
    Permissions(Bus& bus, Milliseconds patience) : bus_(bus), patience_(patience) {}

    /// See `UnitManager::may`.
    Task<Result<Permission>> may(std::string unit, UnitVerb verb);

    /// True if polkit runs or can be started. systemd gives the same answer for a polkit that is
    /// missing and one that refuses.
    Task<bool> polkit_is_there();

  private:
    Task<Result<Permission>> ask(std::string unit, UnitVerb verb);

    Bus& bus_;
    Milliseconds patience_;
    Baton baton_;                   ///< The right to ask.
    std::optional<Error> silence_;  ///< Why the last unanswered question got no answer.
    std::size_t silences_ = 0;      ///< How many questions got no answer.
};

}  // namespace keyturn
