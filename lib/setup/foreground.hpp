#pragma once

#include "asio/task.hpp"
#include "base/result.hpp"
#include "bus/bus.hpp"
#include "clock/clock.hpp"
#include "units/unit_manager.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <utility>

namespace keyturn {

/// Waits for the asynchronous steps of lib/units and lib/cloudflare: in a program that a person
/// runs, one thing happens at a time.
class Foreground {
  public:
    /// `bus` opens the system bus.
    explicit Foreground(Bus::Opener bus = system_bus());

    /// Waits until the bus can be used. `unreachable` after 10 s.
    [[nodiscard]] Result<void> connect();

    [[nodiscard]] UnitManager& units() { return *units_; }
    [[nodiscard]] Clock& clock() { return *clock_; }
    [[nodiscard]] boost::asio::io_context& context() { return context_; }

    /// Waits for the end of a step, which must not refer to anything that ends before. A step has
    /// deadlines of its own; `patience` is for the case that it has not.
    template <class T>
    [[nodiscard]] Result<T> wait(Task<Result<T>> step, std::chrono::seconds patience = longest) {
        auto answer = std::make_shared<std::optional<Result<T>>>();
        boost::asio::co_spawn(context_, std::move(step),
                              [answer](const std::exception_ptr& error, Result<T> result) {
                                  if (!error) *answer = std::move(result);
                              });
        run_until([&] { return answer->has_value(); }, patience);
        if (!*answer) return Error{Fault::unreachable, "no answer in time", {}};
        return std::move(**answer);
    }

    static constexpr std::chrono::seconds longest{120};

  private:
    template <class Condition>
    void run_until(Condition reached, std::chrono::seconds patience) {
        const auto deadline = std::chrono::steady_clock::now() + patience;
        context_.restart();
        while (!reached() && context_.run_one_until(deadline) > 0) {
        }
    }

    boost::asio::io_context context_{1};
    Bus bus_;
    std::unique_ptr<Clock> clock_ = make_clock(context_.get_executor());
    std::unique_ptr<UnitManager> units_ = make_unit_manager(bus_, *clock_);
    bool started_ = false;
};

}  // namespace keyturn
