#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>

#include <functional>

namespace keyturn {

/// Handles the signals of keyturnd. The first SIGTERM or SIGINT calls `stop`; the second one ends
/// the process at once. SIGHUP calls `reload`, which reads the policy again.
class Signals {
  public:
    Signals(boost::asio::io_context& context, std::function<void()> stop,
            std::function<void()> reload);

    void cancel() { signals_.cancel(); }

  private:
    void wait();

    boost::asio::signal_set signals_;
    std::function<void()> stop_;
    std::function<void()> reload_;
    bool asked_to_stop_ = false;
};

}  // namespace keyturn
