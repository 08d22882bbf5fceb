#pragma once

#include "client.hpp"

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace keyturn {

using Steady = std::chrono::steady_clock;

/// The callbacks of a watch.
struct Sightings {
    /// The watched tunnels; none if keyturnd is there but the one watched tunnel is not.
    std::function<void(const std::vector<TunnelStatus>& tunnels)> saw;
    std::function<void()> lost;  ///< Nobody owns keyturnd's name, or the bus is gone.
};

/// Watches one tunnel or all of them over its own connection, without blocking calls. Any user of
/// the bus can send signals that look like keyturnd's, so a signal is only a reason to ask. The
/// callbacks get only what the owner of keyturnd's name has answered.
class Watch {
  public:
    /// An empty `tunnel` means all of them.
    static Result<std::unique_ptr<Watch>> start(Client client, const std::string& tunnel,
                                                Sightings sightings);
    ~Watch();
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;

    /// Asks for the status, unless an answer is still outstanding.
    void ask();

    /// Handles what has arrived, and asks again if there is a reason. Returns false if the
    /// connection is dead: then create a new Watch.
    [[nodiscard]] bool process();

    /// Returns when to call `process` even if nothing arrives: signals lead to one question at a
    /// time, after a pause.
    [[nodiscard]] Steady::time_point next_question() const;

    [[nodiscard]] Client& client();

  private:
    class Impl;
    explicit Watch(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

}  // namespace keyturn
