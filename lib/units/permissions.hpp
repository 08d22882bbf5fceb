#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"
#include "time/moment.hpp"
#include "units/polkit.hpp"

#include <boost/asio/experimental/channel.hpp>

#include <memory>
#include <optional>
#include <string>

namespace keyturn {

class Bus;

/// Asks what polkit would say, without doing anything to a unit. CheckAuthorization answers only to
/// the owner of an action, so systemd is asked for the real thing, in a mode that it refuses, and
/// only after it has asked polkit.
class Permissions {
  public:
    /// `bus` outlives this. No answer after `patience` is none.
    Permissions(Bus& bus, Milliseconds patience) : bus_(bus), patience_(patience) {}

    /// See `UnitManager::may`.
    Task<Result<Permission>> may(std::string unit, UnitVerb verb);

    /// systemd answers for a polkit that is not there as for one that says no. Starts it.
    Task<bool> polkit_is_there();

  private:
    /// The right to ask, handed on from one to the next.
    using Baton = boost::asio::experimental::channel<void(boost::system::error_code)>;
    struct Holding;

    Task<Result<Permission>> ask(std::string unit, UnitVerb verb);

    Bus& bus_;
    Milliseconds patience_;
    std::shared_ptr<Baton> baton_;
    std::optional<Error> silence_;  ///< Why the last question without an answer had none.
    std::size_t silences_ = 0;      ///< How many questions had none.
};

}  // namespace keyturn
