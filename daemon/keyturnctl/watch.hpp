#pragma once

#include "client.hpp"

#include <functional>
#include <memory>
#include <string>

namespace keyturn {

/// What a watch tells, in the order in which the bus delivered it.
struct Sightings {
    /// `asked_for`: the answer to `Watch::ask`, else a signal.
    std::function<void(const TunnelStatus& tunnel, bool asked_for)> saw;
    std::function<void()> lost;      ///< Nobody owns keyturnd's name, or the bus is gone.
    std::function<void()> left_out;  ///< keyturnd is there, the tunnel is not.
};

/// Looks at one tunnel over a connection of its own making, without blocking in a call: signals and
/// answers come in the order in which they were sent, so that no old status follows a new one.
class Watch {
  public:
    /// `before` is a status known already; signals are applied to what was seen last.
    static Result<std::unique_ptr<Watch>> start(Client client, TunnelStatus before,
                                                Sightings sightings);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    /// Asks for the status, unless an answer is still awaited.
    void ask();

    /// Handles what has arrived. False when the connection is dead: time for a new Watch.
    [[nodiscard]] bool process();

    [[nodiscard]] Client& client();
    [[nodiscard]] const TunnelStatus& last() const;

  private:
    class Impl;
    explicit Watch(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace keyturn
