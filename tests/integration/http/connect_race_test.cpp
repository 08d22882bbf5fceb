#include "http/connect_race.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/system/system_error.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>
#include <filesystem>
#include <optional>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using boost::asio::ip::tcp;
using boost::system::error_code;

/// A port of one loopback address. Until it opens, its queue is full: the kernel drops further
/// SYNs, as a dead network would. It sends them again after a second.
class SilentPort {
  public:
    SilentPort(boost::asio::io_context& context, const tcp::endpoint& endpoint)
        : context_(context), acceptor_(context, endpoint) {
        acceptor_.listen(0);
        for (int i = 0; i < 8; ++i) {
            auto& filler = fillers_.emplace_back(context);
            filler.async_connect(acceptor_.local_endpoint(), [](error_code) {});
        }
    }

    void open() {
        fillers_.clear();
        accept();
    }

    [[nodiscard]] tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

  private:
    void accept() {
        acceptor_.async_accept([this](error_code error, tcp::socket socket) {
            if (error) return;
            accepted_.push_back(std::move(socket));
            accept();
        });
    }

    boost::asio::io_context& context_;
    tcp::acceptor acceptor_;
    std::deque<tcp::socket> fillers_;
    std::deque<tcp::socket> accepted_;
};

/// All of 127.0.0.0/8 is on every host, so each number is an address of its own.
tcp::endpoint numbered(unsigned char number, unsigned short port) {
    return {boost::asio::ip::address_v4({127, 0, 0, number}), port};
}

/// Asio can pass on only results that have a default.
Task<std::optional<Result<tcp::socket>>> race(std::vector<tcp::endpoint> endpoints,
                                              RaceOptions options) {
    auto winner = co_await connect_to_first(std::move(endpoints), options);
    co_return std::optional(std::move(winner));
}

std::size_t open_descriptors() {
    const std::filesystem::directory_iterator all("/proc/self/fd");
    return static_cast<std::size_t>(std::distance(begin(all), end(all)));
}

class ConnectRace : public testing::Test {
  protected:
    using Outcome = Result<tcp::socket>;

    ConnectRace() { options.limit = 8s; }

    void start(std::vector<tcp::endpoint> endpoints) {
        auto task = race(std::move(endpoints), options);
        auto keep = [this](std::exception_ptr error, std::optional<Outcome> came) {
            thrown = error;
            outcome = std::move(came);
            ended = true;
        };
        begin_ = std::chrono::steady_clock::now();
        boost::asio::co_spawn(context, std::move(task),
                              boost::asio::bind_cancellation_slot(signal.slot(), std::move(keep)));
    }

    void finish() {
        context.restart();
        while (!ended && std::chrono::steady_clock::now() - begin_ < 20s) {
            context.run_one_for(100ms);
        }
        took = std::chrono::steady_clock::now() - begin_;
        ASSERT_TRUE(ended);
    }

    void run_for(std::chrono::milliseconds duration) {
        context.restart();
        context.run_for(duration);
    }

    /// The winner's address; "" if all have lost.
    [[nodiscard]] std::string winner() const {
        if (!outcome || !*outcome) return {};
        return (**outcome).remote_endpoint().address().to_string();
    }

    boost::asio::io_context context{1};
    boost::asio::cancellation_signal signal;
    RaceOptions options;
    std::exception_ptr thrown;
    std::optional<Outcome> outcome;
    bool ended = false;
    std::chrono::steady_clock::duration took{};

  private:
    std::chrono::steady_clock::time_point begin_;
};

TEST_F(ConnectRace, GoesOnToTheNextAddressBesideASilentOne) {
    SilentPort silent(context, numbered(2, 0));
    const auto port = silent.endpoint().port();
    tcp::acceptor other(context, numbered(1, port));
    run_for(50ms);
    const auto before = open_descriptors();
    start({silent.endpoint(), other.local_endpoint()});
    finish();
    EXPECT_EQ(winner(), "127.0.0.1");
    EXPECT_GE(took, options.head_start);
    EXPECT_LT(took, 3s);
    // The other attempt is closed: one descriptor is left, the winner's.
    EXPECT_EQ(open_descriptors(), before + 1);
}

TEST_F(ConnectRace, LetsTheFirstAddressWinIfItAnswersWhileOthersAreTried) {
    SilentPort first(context, numbered(2, 0));
    SilentPort second(context, numbered(3, first.endpoint().port()));
    run_for(50ms);
    start({first.endpoint(), second.endpoint()});
    run_for(400ms);
    EXPECT_FALSE(ended);
    first.open();
    finish();
    EXPECT_EQ(winner(), "127.0.0.2");
}

TEST_F(ConnectRace, WaitsForNobodyAfterARefusal) {
    tcp::acceptor open(context, numbered(1, 0));
    const auto port = open.local_endpoint().port();
    options.head_start = 60s;
    start({numbered(2, port), numbered(3, port), numbered(4, port), open.local_endpoint()});
    finish();
    EXPECT_EQ(winner(), "127.0.0.1");
    EXPECT_LT(took, 4s);
}

TEST_F(ConnectRace, SaysWhatCameOfEachAddress) {
    SilentPort silent(context, numbered(9, 0));
    const auto port = silent.endpoint().port();
    run_for(50ms);
    const auto before = open_descriptors();
    options.limit = 400ms;
    start({silent.endpoint(), numbered(2, port)});
    finish();
    ASSERT_TRUE(outcome && !*outcome);
    EXPECT_EQ(outcome->error().fault, Fault::unreachable);
    EXPECT_EQ(outcome->error().text, "127.0.0.2: Connection refused; 127.0.0.9: no answer in time");
    EXPECT_GE(took, 390ms);
    EXPECT_LT(took, 1400ms);
    EXPECT_EQ(open_descriptors(), before);
}

TEST_F(ConnectRace, ConnectsFromItselfOnlyToAddressesOfThisHost) {
    options.from_itself = true;
    start({tcp::endpoint(boost::asio::ip::make_address("192.0.2.1"), 80)});
    finish();
    ASSERT_TRUE(outcome && !*outcome);
    EXPECT_EQ(outcome->error().text, "192.0.2.1: not an address of this host");
}

TEST_F(ConnectRace, ClosesEverythingWhenItsCallerIsCancelled) {
    SilentPort first(context, numbered(2, 0));
    SilentPort second(context, numbered(3, first.endpoint().port()));
    run_for(50ms);
    const auto before = open_descriptors();
    start({first.endpoint(), second.endpoint()});
    run_for(400ms);
    EXPECT_EQ(open_descriptors(), before + 2);
    signal.emit(boost::asio::cancellation_type::terminal);
    finish();
    EXPECT_THROW(std::rethrow_exception(thrown), boost::system::system_error);
    EXPECT_EQ(open_descriptors(), before);
    run_for(50ms);
}

}  // namespace
}  // namespace keyturn
