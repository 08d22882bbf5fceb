#include "asio/side_by_side.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <gmock/gmock.h>

#include <optional>
#include <stdexcept>
#include <vector>

namespace keyturn {
namespace {

using testing::ElementsAre;

class SideBySideTest : public testing::Test {
  public:
    /// One piece: lets the others run some times before it ends.
    Task<> piece(std::size_t index) {
        began_.push_back(index);
        most_ = std::max(most_, ++running_);
        for (int turn = 0; turn < 3; ++turn) co_await boost::asio::post(boost::asio::use_awaitable);
        --running_;
        ended_.push_back(index);
    }

    Task<> piece_without_end(std::size_t index) {
        began_.push_back(index);
        boost::asio::steady_timer never(context_, boost::asio::steady_timer::time_point::max());
        co_await never.async_wait(boost::asio::use_awaitable);
    }

    Task<> failing_piece(std::size_t index) {
        if (index == 1) throw std::runtime_error("broken");
        auto other = piece_without_end(index);
        co_await std::move(other);
    }

  protected:
    /// What it threw, if it did.
    std::exception_ptr perform(std::size_t count, std::size_t at_once,
                               Task<> (SideBySideTest::*one)(std::size_t)) {
        PiecesOfWork work;
        work.count = count;
        work.perform = [this, one](std::size_t index) { return (this->*one)(index); };
        std::optional<std::exception_ptr> outcome;
        auto done = [&](std::exception_ptr error) { outcome = error; };
        boost::asio::co_spawn(context_, perform_side_by_side(work, at_once),
                              boost::asio::bind_cancellation_slot(stop_.slot(), done));
        context_.restart();
        context_.poll();
        if (!outcome) stop_.emit(boost::asio::cancellation_type::terminal);
        context_.restart();
        context_.poll();
        EXPECT_TRUE(outcome) << "it has ended";
        return outcome.value_or(nullptr);
    }

    boost::asio::io_context context_{1};
    boost::asio::cancellation_signal stop_;
    std::vector<std::size_t> began_;
    std::vector<std::size_t> ended_;
    std::size_t running_ = 0;
    std::size_t most_ = 0;
};

TEST_F(SideBySideTest, PerformsAllInOrderAndNotTooManyAtOnce) {
    for (const std::size_t at_once : {1U, 2U, 3U, 7U, 100U}) {
        began_.clear();
        ended_.clear();
        most_ = 0;
        EXPECT_FALSE(perform(10, at_once, &SideBySideTest::piece));
        EXPECT_THAT(began_, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
        EXPECT_EQ(ended_.size(), 10U);
        EXPECT_EQ(most_, std::min<std::size_t>(at_once, 10));
    }
}

TEST_F(SideBySideTest, NothingToDoIsDone) {
    EXPECT_FALSE(perform(0, 4, &SideBySideTest::piece));
}

TEST_F(SideBySideTest, CancellationEndsAllOfThemWithOneException) {
    const std::exception_ptr thrown = perform(5, 3, &SideBySideTest::piece_without_end);
    EXPECT_THAT(began_, ElementsAre(0, 1, 2));
    ASSERT_TRUE(thrown);
    try {
        std::rethrow_exception(thrown);
    } catch (const boost::system::system_error& error) {
        EXPECT_EQ(error.code(), boost::asio::error::operation_aborted);
    }
}

TEST_F(SideBySideTest, FailureOfOneEndsTheOthers) {
    const std::exception_ptr thrown = perform(3, 3, &SideBySideTest::failing_piece);
    ASSERT_TRUE(thrown);
    EXPECT_ANY_THROW(std::rethrow_exception(thrown));
    EXPECT_THAT(began_, ElementsAre(0, 2));
}

}  // namespace
}  // namespace keyturn
