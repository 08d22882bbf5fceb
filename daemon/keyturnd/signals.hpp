#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <functional>

namespace keyturn {

/// Handles SIGTERM and SIGINT. The first one calls `stop`; the second one ends the process at once.
class StopSignals {
  public:
    StopSignals(boost::asio::io_context& context, std::function<void()> stop);

    void cancel() { signals_.cancel(); }

  private:
    void wait();

    boost::asio::signal_set signals_;
    std::function<void()> stop_;
    bool asked_ = false;
};

/// Handles SIGHUP: calls `reload`, which reads the policy again.
class ReloadSignal {
  public:
    ReloadSignal(boost::asio::io_context& context, std::function<void()> reload);

    void cancel() { signals_.cancel(); }

  private:
    void wait();

    boost::asio::signal_set signals_;
    std::function<void()> reload_;
};

}  // namespace keyturn
