#include "clock/clock.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

using namespace std::chrono_literals;

TEST(SystemClock, SleepsUntilTheMoment) {
    boost::asio::io_context context;
    const auto clock = make_clock(context.get_executor());
    const BootTime start = clock->boot_now();
    BootTime woken{};
    const auto sleeper = [&]() -> Task<> {
        const BootTime when = start + 30ms;
        co_await clock->sleep_until(when);
        woken = clock->boot_now();
    };
    boost::asio::co_spawn(context, sleeper, [](std::exception_ptr error) { EXPECT_FALSE(error); });
    context.run_for(5s);
    EXPECT_GE(woken - start, 30ms);
    EXPECT_LT(woken - start, 3s);
}

TEST(SystemClock, ReturnsAtOnceForThePast) {
    boost::asio::io_context context;
    const auto clock = make_clock(context.get_executor());
    bool done = false;
    const auto sleeper = [&]() -> Task<> {
        const BootTime past{};
        co_await clock->sleep_until(past);
        done = true;
    };
    boost::asio::co_spawn(context, sleeper, [](std::exception_ptr error) { EXPECT_FALSE(error); });
    context.run_for(5s);
    EXPECT_TRUE(done);
}

TEST(SystemClock, WakesManyInTheirOrderWithOneTimer) {
    boost::asio::io_context context;
    const auto clock = make_clock(context.get_executor());
    const BootTime start = clock->boot_now();
    std::vector<int> woken;
    const auto sleeper = [&](int number) -> Task<> {
        const BootTime when = start + number * 10ms;
        co_await clock->sleep_until(when);
        EXPECT_GE(clock->boot_now(), when);
        woken.push_back(number);
    };
    for (const int number : {3, 1, 2, 3, 5, 4}) {
        boost::asio::co_spawn(context, sleeper(number),
                              [](std::exception_ptr error) { EXPECT_FALSE(error); });
    }
    context.run_for(5s);
    EXPECT_EQ(woken, (std::vector{1, 2, 3, 3, 4, 5}));
}

TEST(SystemClock, NobodyIsWokenByAnothersCancellation) {
    boost::asio::io_context context;
    const auto clock = make_clock(context.get_executor());
    const BootTime start = clock->boot_now();
    boost::asio::cancellation_signal cancel;
    std::exception_ptr first;
    bool second = false;
    const auto sleeper = [&](Milliseconds time) -> Task<> {
        const BootTime when = start + time;
        co_await clock->sleep_until(when);
    };
    boost::asio::co_spawn(context, sleeper(1h),
                          boost::asio::bind_cancellation_slot(
                              cancel.slot(), [&](std::exception_ptr error) { first = error; }));
    boost::asio::co_spawn(context, sleeper(40ms),
                          [&](std::exception_ptr error) { second = error == nullptr; });
    context.run_for(10ms);
    cancel.emit(boost::asio::cancellation_type::terminal);
    context.run_for(5s);
    EXPECT_TRUE(first) << "cancelled";
    EXPECT_TRUE(second) << "has slept";
    EXPECT_GE(clock->boot_now() - start, 40ms);
    EXPECT_LT(clock->boot_now() - start, 4s) << "nothing is left to wait for";
}

TEST(SystemClock, SaysNothingOfAClockThatIsNotSet) {
    boost::asio::io_context context;
    const auto clock = make_clock(context.get_executor());
    boost::asio::cancellation_signal cancel;
    std::exception_ptr ended;
    boost::asio::co_spawn(context, clock->wall_clock_set(),
                          boost::asio::bind_cancellation_slot(
                              cancel.slot(), [&](std::exception_ptr error) { ended = error; }));
    context.run_for(50ms);
    EXPECT_FALSE(ended);
    cancel.emit(boost::asio::cancellation_type::terminal);
    context.run_for(5s);
    EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace keyturn
