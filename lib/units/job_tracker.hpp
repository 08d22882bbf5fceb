#pragma once

#include "asio/task.hpp"
#include "bus/bus.hpp"
#include "bus/signal_listener.hpp"
#include "model/unit_state.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <deque>
#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace keyturn {

class JobWatch;

/// The result for a word of JobRemoved; `other` for a word of a newer systemd.
[[nodiscard]] JobResult job_result_of(std::string_view word);

/// Listens to systemd's JobRemoved signal on every connection of a bus and passes it to the
/// watches.
class JobTracker {
  public:
    /// Called with the name of the unit whose job has ended.
    using Ended = std::function<void(const std::string& unit)>;

    /// `bus` must outlive all use of the tracker. The hooks in the bus do not keep the tracker
    /// alive.
    static std::shared_ptr<JobTracker> make(Bus& bus, Ended ended = {});

  private:
    friend class JobWatch;
    void install(sd_bus* bus);
    void forget();
    void hear_removal(sd_bus_message* signal);

    std::shared_ptr<SignalListener> removals_;
    std::list<JobWatch*> watches_;
    Ended ended_;
};

/// One wait for one job. Make it BEFORE the method call that creates the job, because JobRemoved
/// can arrive before the reply to that call. It keeps what it hears until `expect` says which job
/// to wait for.
class JobWatch {
  public:
    JobWatch(std::shared_ptr<JobTracker> tracker, boost::asio::any_io_executor executor);
    ~JobWatch();
    JobWatch(const JobWatch&) = delete;
    JobWatch& operator=(const JobWatch&) = delete;

    void expect(std::string job_path);

    /// How the job ended; nothing while that is unknown.
    [[nodiscard]] std::optional<JobResult> result() const;

    /// True if the connection broke, so no signal will arrive any more.
    [[nodiscard]] bool lost() const { return lost_; }

    /// Waits until a signal arrives, or for `at_most`.
    Task<> wait(Milliseconds at_most);

  private:
    friend class JobTracker;

    struct Heard {
        std::string path;
        JobResult result;
    };
    /// Enough for all jobs of a boot. The oldest are dropped first.
    static constexpr std::size_t heard_max = 1'024;

    void hear(Heard heard);
    void lose();
    void wake();

    std::shared_ptr<JobTracker> tracker_;
    std::list<JobWatch*>::iterator place_;
    boost::asio::steady_timer timer_;
    bool woken_ = false;
    bool lost_ = false;
    std::string path_;  ///< Empty while it is unknown.
    std::deque<Heard> heard_;
};

}  // namespace keyturn
