#include "fakes/running_agent.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

#include <utility>

namespace keyturn {

void RunningAgent::start(const TunnelPolicy& policy, double splay_share, const Dependencies& world,
                         EventLog& log, std::function<void(const TunnelAgent&)> changed) {
    agent_ = std::make_unique<TunnelAgent>(context_.get_executor(), policy, splay_share, world, log,
                                           std::move(changed));
    agent_->load();
    running_ = true;
    auto ended = [this](std::exception_ptr) { running_ = false; };
    boost::asio::co_spawn(context_, agent_->run(),
                          boost::asio::bind_cancellation_slot(stop_.slot(), std::move(ended)));
    auto clock_ended = [](std::exception_ptr) {};
    boost::asio::co_spawn(
        context_, heed_the_clock(),
        boost::asio::bind_cancellation_slot(stop_clock_.slot(), std::move(clock_ended)));
}

void RunningAgent::stop() {
    if (!running_) return;
    stop_.emit(boost::asio::cancellation_type::terminal);
    stop_clock_.emit(boost::asio::cancellation_type::terminal);
    clock_.run_until([this] { return !running_; }, Milliseconds{0});
}

/// Tells the agent when the wall clock is set, as the daemon does.
Task<> RunningAgent::heed_the_clock() {
    for (;;) {
        co_await clock_.wall_clock_set();
        agent_->wall_clock_set();
    }
}

}  // namespace keyturn
