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
#include <vector>

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
        std::vector<Task<Result<T>>> steps;
        steps.push_back(std::move(step));
        return std::move(wait_for_all(std::move(steps), patience).front());
    }

    /// Makes all steps at the same time, and waits for the last one. The results are in the order
    /// of the steps.
    template <class T>
    [[nodiscard]] std::vector<Result<T>> wait_for_all(std::vector<Task<Result<T>>> steps,
                                                      std::chrono::seconds patience = longest) {
        look_at_bus();
        struct Answers {
            std::vector<std::optional<Result<T>>> given;
            std::size_t missing = 0;
        };
        auto answers = std::make_shared<Answers>();
        answers->given.resize(steps.size());
        answers->missing = steps.size();
        for (std::size_t i = 0; i < steps.size(); ++i) {
            boost::asio::co_spawn(context_, std::move(steps[i]),
                                  [answers, i](const std::exception_ptr& error, Result<T> result) {
                                      if (!error) answers->given[i] = std::move(result);
                                      --answers->missing;
                                  });
        }
        run_until([&] { return answers->missing == 0; }, patience);
        std::vector<Result<T>> results;
        for (std::optional<Result<T>>& answer : answers->given) {
            if (answer)
                results.push_back(std::move(*answer));
            else
                results.push_back(Error{Fault::unreachable, "no answer in time", {}});
        }
        return results;
    }

    static constexpr std::chrono::seconds longest{120};

  private:
    /// Connects again if the connection was lost while nothing was waited for, such as the answer
    /// of a person: meanwhile nobody reads what the bus says, and libsystemd gives up.
    void look_at_bus();

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
    bool had_bus_ = false;
};

}  // namespace keyturn
