#pragma once

#include "client.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>

namespace keyturn {

using Steady = std::chrono::steady_clock;

/// What a watch tells.
struct Sightings {
    std::function<void(const TunnelStatus& tunnel)> saw;
    std::function<void()> lost;      ///< Nobody owns keyturnd's name, or the bus is gone.
    std::function<void()> left_out;  ///< keyturnd is there, the tunnel is not.
};

/// Looks at one tunnel over a connection of its own making, without blocking in a call. Whoever is
/// on the bus can send signals that look like keyturnd's, so a signal is only a reason to ask: what
/// is told is what the owner of keyturnd's name answered.
class Watch {
  public:
    static Result<std::unique_ptr<Watch>> start(Client client, const std::string& tunnel,
                                                Sightings sightings);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    /// Asks for the status, unless an answer is still awaited.
    void ask();

    /// Handles what has arrived, and asks where that is a reason to. False when the connection is
    /// dead: time for a new Watch.
    [[nodiscard]] bool process();

    /// When `process` wants to be called although nothing arrives: signals are answered by one
    /// question at a time, and not at once.
    [[nodiscard]] Steady::time_point next_question() const;

    [[nodiscard]] Client& client();

  private:
    class Impl;
    explicit Watch(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace keyturn
