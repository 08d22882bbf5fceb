#pragma once

#include "agent/tunnel_agent.hpp"
#include "fakes/simulated_clock.hpp"
#include "journal/event_log.hpp"

#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/io_context.hpp>

#include <functional>
#include <memory>

namespace keyturn {

/// One agent, run as the daemon runs it, in simulated time.
class RunningAgent {
  public:
    RunningAgent(boost::asio::io_context& context, SimulatedClock& clock)
        : context_(context), clock_(clock) {}
    RunningAgent(const RunningAgent&) = delete;
    RunningAgent& operator=(const RunningAgent&) = delete;
    ~RunningAgent() { stop(); }

    /// Starts the agent as keyturnd does at its own start. All arguments outlive the agent.
    void start(
        const TunnelPolicy& policy, double splay_share, const Dependencies& world, EventLog& log,
        std::function<void(const TunnelAgent&)> changed = [](const TunnelAgent&) {});

    /// Ends the agent as SIGTERM does. The disk keeps its content, and `status()` still works.
    void stop();

    /// False before the start, after the end and after an exception.
    [[nodiscard]] bool running() const { return running_; }

    /// Only after the first `start`.
    TunnelAgent* operator->() const { return agent_.get(); }

  private:
    Task<> heed_the_clock();

    boost::asio::io_context& context_;
    SimulatedClock& clock_;
    std::unique_ptr<TunnelAgent> agent_;
    boost::asio::cancellation_signal stop_;
    boost::asio::cancellation_signal stop_clock_;
    bool running_ = false;
};

}  // namespace keyturn
