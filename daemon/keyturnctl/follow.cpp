#include "follow.hpp"

#include "story.hpp"
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

/// How often to ask without a signal: often where a bar moves or an answer is awaited, else only
/// because a signal may have been lost.
constexpr std::chrono::seconds quick_tick{1};
constexpr std::chrono::seconds slow_tick{10};

volatile std::sig_atomic_t interrupted = 0;

void on_interrupt(int) {
    interrupted = 1;
}

void on_resize(int) {}

/// Ctrl-C and a new size of the window arrive only during a wait, so that none is lost between
/// checking the flag and waiting. A new size ends the wait, so that the block is drawn again.
class Interrupts {
  public:
    Interrupts() {
        sigset_t blocked;
        sigemptyset(&blocked);
        const auto handle = [&blocked](int signal, void (*handler)(int)) {
            struct sigaction action {};
            action.sa_handler = handler;
            sigaction(signal, &action, nullptr);
            sigaddset(&blocked, signal);
        };
        handle(SIGINT, on_interrupt);
        handle(SIGTERM, on_interrupt);
        handle(SIGWINCH, on_resize);
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
    FollowSession(std::vector<TunnelStatus> before, Subject subject)
        : before_(std::move(before)),
          subject_(std::move(subject)),
          view_(before_, subject_, !terminal_.interactive()) {}

    Result<void> watch(Client client) {
        Sightings sightings;
        sightings.saw = [this](const std::vector<TunnelStatus>& tunnels) {
            tell(view_.saw(tunnels, now()));
        };
        sightings.lost = [this] { tell(view_.lost(now())); };
        auto started = Watch::start(std::move(client), subject_.tunnel, std::move(sightings));
        if (started.has_error()) return started.error();
        watch_ = std::move(started.value());
        return {};
    }

    Result<void> ask(const Request& request) {
        if (!request) return {};
        const auto accepted = request(watch_->client());
        if (accepted.has_error()) return accepted.error();
        if (!accepted->empty()) attach(*accepted);
        return {};
    }

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
            // What has just arrived may have made it move.
            next_tick = std::min(next_tick, Steady::now() + tick_interval());
            terminal_.show(std::exchange(lines_, {}), view_.block(now(), terminal_.style()));
            if (view_.verdict()) return finish();
            if (!wait(next_tick)) return leave();
        }
    }

  private:
    /// Follows the open rotation instead of the one that keyturnd has not accepted.
    void attach(const std::string& reason) {
        Wanted wanted = *subject_.wanted;
        wanted.following = Following::open;
        subject_.wanted = wanted;
        view_ = LiveView(before_, subject_, !terminal_.interactive());
        const WallTime moment = now();
        lines_.push_back(story_line(moment, printable(reason)));
        lines_.push_back(story_line(
            moment, "following the open rotation; your request has not changed anything"));
    }

    void tick() {
        if (!watch_) reconnect();
        if (watch_) watch_->ask();
        if (!terminal_.interactive()) tell(view_.nothing_new(now()));
    }

    /// If there is still no bus, this reports nothing, because `lost` already did. The next tick
    /// tries again.
    void reconnect() {
        auto client = Client::open();
        if (client.has_error()) return;
        static_cast<void>(watch(std::move(client.value())).has_error());
    }

    Steady::duration tick_interval() const {
        const bool redraws = terminal_.interactive() && view_.moves();
        return redraws || view_.awaits() || !watch_ ? quick_tick : slow_tick;
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
        terminal_.show(view_.verdict()->lines, {});
        return view_.verdict()->exit_code;
    }

    ExitCode leave() {
        terminal_.show(view_.farewell(), {});
        return ExitCode::interrupted;
    }

    Terminal terminal_;
    std::vector<TunnelStatus> before_;
    Subject subject_;
    LiveView view_;
    Interrupts interrupts_;
    std::unique_ptr<Watch> watch_;
    std::vector<std::string> lines_;
};

}  // namespace

Result<ExitCode> follow(Client client, const Subject& subject, const Request& request) {
    auto before = client.tunnels_named(subject.tunnel);
    if (before.has_error()) return before.error();
    FollowSession session(std::move(before.value()), subject);
    // Start to watch before the request, so that the first step is not missed.
    if (auto started = session.watch(std::move(client)); started.has_error())
        return started.error();
    if (auto accepted = session.ask(request); accepted.has_error()) return accepted.error();
    return session.run();
}

}  // namespace keyturn
