#include "keyturnd/signals.hpp"

#include <csignal>
#include <cstdlib>
#include <utility>

namespace keyturn {

Signals::Signals(boost::asio::io_context& context, std::function<void()> stop,
                 std::function<void()> reload)
    : signals_(context, SIGTERM, SIGINT, SIGHUP),
      stop_(std::move(stop)),
      reload_(std::move(reload)) {
    wait();
}

void Signals::wait() {
    signals_.async_wait([this](const boost::system::error_code& error, int number) {
        if (error) return;
        if (number == SIGHUP) {
            reload_();
        } else {
            // The state on disk is consistent at every moment, so it is always safe to exit at
            // once.
            if (std::exchange(asked_to_stop_, true)) std::_Exit(EXIT_SUCCESS);
            stop_();
        }
        wait();
    });
}

}  // namespace keyturn
