#include "keyturnd/signals.hpp"

#include <csignal>
#include <cstdlib>
#include <utility>

namespace keyturn {

StopSignals::StopSignals(boost::asio::io_context& context, std::function<void()> stop)
    : signals_(context, SIGTERM, SIGINT), stop_(std::move(stop)) {
    wait();
}

void StopSignals::wait() {
    signals_.async_wait([this](const boost::system::error_code& error, int) {
        if (error) return;
        // The state on disk is consistent at every moment, so it is always safe to exit at once.
        if (asked_) std::_Exit(EXIT_SUCCESS);
        asked_ = true;
        stop_();
        wait();
    });
}

ReloadSignal::ReloadSignal(boost::asio::io_context& context, std::function<void()> reload)
    : signals_(context, SIGHUP), reload_(std::move(reload)) {
    wait();
}

void ReloadSignal::wait() {
    signals_.async_wait([this](const boost::system::error_code& error, int) {
        if (error) return;
        reload_();
        wait();
    });
}

}  // namespace keyturn
