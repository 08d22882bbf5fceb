#include "follow.hpp"

#include "follower.hpp"
#include "terminal.hpp"
#include "watch.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <ctime>
#include <memory>
#include <poll.h>
#include <utility>

namespace keyturn {
namespace {

/// How often to ask without a signal: a progress bar has to move, and a signal may have been lost.
constexpr std::chrono::seconds tick_on_terminal{1};
constexpr std::chrono::seconds tick_on_pipe{10};

volatile std::sig_atomic_t interrupted = 0;

void on_interrupt(int) {
    interrupted = 1;
}

/// Ctrl-C arrives only during a wait, so that none is lost between checking the flag and waiting.
class Interrupts {
  public:
    Interrupts() {
        struct sigaction action {};
        action.sa_handler = on_interrupt;
        sigaction(SIGINT, &action, nullptr);
        sigaction(SIGTERM, &action, nullptr);
        sigset_t blocked;
        sigemptyset(&blocked);
        sigaddset(&blocked, SIGINT);
        sigaddset(&blocked, SIGTERM);
        sigprocmask(SIG_BLOCK, &blocked, &while_waiting_);
    }

    /// Waits until `descriptor` is ready or `until` has passed. Returns false after Ctrl-C.
    [[nodiscard]] bool wait(pollfd descriptor, Steady::time_point until) const {
        const auto left = std::max<std::chrono::nanoseconds>(until - Steady::now(), {});
        const auto seconds = std::chrono::floor<std::chrono::seconds>(left);
        const timespec timeout{seconds.count(), (left - seconds).count()};
        ppoll(&descriptor, descriptor.fd >= 0 ? 1 : 0, &timeout, &while_waiting_);
        // If there was something to read, ppoll did not deliver pending signals.
        sigset_t pending;
        sigpending(&pending);
        return interrupted == 0 && sigismember(&pending, SIGINT) == 0 &&
               sigismember(&pending, SIGTERM) == 0;
    }

  private:
    sigset_t while_waiting_{};
};

WallTime now() {
    return std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
}

/// Returns when sd-bus must be called even if nothing arrives, because an answer is overdue.
Steady::time_point bus_deadline(sd_bus* bus) {
    std::uint64_t deadline = 0;
    if (sd_bus_get_timeout(bus, &deadline) < 0 || deadline == UINT64_MAX) {
        return Steady::time_point::max();
    }
    return Steady::time_point(std::chrono::microseconds(deadline));  // CLOCK_MONOTONIC, as ours.
}

pollfd poll_of(sd_bus* bus) {
    const int events = sd_bus_get_events(bus);
    return {sd_bus_get_fd(bus), static_cast<short>(std::max(events, 0)), 0};
}

class FollowSession {
  public:
    FollowSession(const TunnelStatus& before, const Wanted& wanted)
        : tunnel_(before.name), follower_(before, wanted) {}

    Result<void> watch(Client client) {
        Sightings sightings;
        sightings.saw = [this](const TunnelStatus& tunnel) { tell(follower_.saw(tunnel, now())); };
        sightings.lost = [this] { tell(follower_.lost(now())); };
        sightings.left_out = [this] { follower_.left_out(); };
        auto started = Watch::start(std::move(client), tunnel_, std::move(sightings));
        if (started.has_error()) return started.error();
        watch_ = std::move(started.value());
        return {};
    }

    Client& client() { return watch_->client(); }

    ExitCode run() {
        Steady::time_point next_tick = Steady::now();
        while (true) {
            if (Steady::now() >= next_tick) {
                tick();
                next_tick = Steady::now() + tick_interval();
            }
            if (watch_ && !watch_->process()) {
                watch_.reset();
                next_tick = Steady::now() + tick_interval();  // The bus may be back very soon.
            }
            const WallTime moment = now();
            terminal_.show(std::exchange(lines_, {}),
                           follower_.live_block(moment, terminal_.style()));
            if (follower_.verdict()) return finish();
            if (!wait(next_tick)) return leave();
        }
    }

  private:
    void tick() {
        if (!watch_) reconnect();
        if (watch_) watch_->ask();
        if (!terminal_.interactive()) tell(follower_.nothing_new(now()));
    }

    /// If there is still no bus, this reports nothing, because `lost` already did. The next tick
    /// tries again.
    void reconnect() {
        auto client = Client::open();
        if (client.has_error()) return;
        static_cast<void>(watch(std::move(client.value())).has_error());
    }

    Steady::duration tick_interval() const {
        const bool often = terminal_.interactive() || !follower_.begun() || !watch_;
        return often ? tick_on_terminal : tick_on_pipe;
    }

    bool wait(Steady::time_point next_tick) const {
        if (!watch_) return interrupts_.wait({-1, 0, 0}, next_tick);
        sd_bus* bus = watch_->client().bus();
        return interrupts_.wait(poll_of(bus),
                                std::min({next_tick, bus_deadline(bus), watch_->next_question()}));
    }

    void tell(std::vector<std::string> lines) {
        std::move(lines.begin(), lines.end(), std::back_inserter(lines_));
    }

    ExitCode finish() {
        terminal_.show(follower_.verdict()->lines, {});
        return follower_.verdict()->exit_code;
    }

    ExitCode leave() {
        terminal_.show({follower_.farewell()}, {});
        return ExitCode::interrupted;
    }

    std::string tunnel_;
    Follower follower_;
    Terminal terminal_;
    Interrupts interrupts_;
    std::unique_ptr<Watch> watch_;
    std::vector<std::string> lines_;
};

}  // namespace

Result<ExitCode> follow(Client client, const std::string& tunnel, const Wanted& wanted,
                        const std::function<Result<void>(Client&)>& request) {
    auto before = client.tunnel(tunnel);
    if (before.has_error()) return before.error();
    FollowSession session(*before, wanted);
    // Start to watch before the request, so that the first step is not missed.
    if (auto started = session.watch(std::move(client)); started.has_error())
        return started.error();
    if (auto accepted = request(session.client()); accepted.has_error()) return accepted.error();
    return session.run();
}

}  // namespace keyturn
