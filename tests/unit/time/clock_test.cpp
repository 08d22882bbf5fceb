#include "time/clock.hpp"

#include <boost/asio/detached.hpp>
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

}  // namespace
}  // namespace keyturn
