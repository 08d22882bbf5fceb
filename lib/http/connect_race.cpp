#include "http/connect_race.hpp"

#include "base/error.hpp"
#include "base/invariant.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <optional>
#include <set>
#include <string>

namespace keyturn {

namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

constexpr auto as_error = asio::as_tuple(asio::use_awaitable);

std::string reason(const error_code& error) {
    if (error == asio::error::no_descriptors) return errno_text(EMFILE);
    if (error == boost::system::errc::address_not_available) return "not an address of this host";
    return error.message();
}

/// The attempts of one race. Their handlers share it, and may run after its end.
class Race : public std::enable_shared_from_this<Race> {
  public:
    Race(const asio::any_io_executor& executor, std::vector<tcp::endpoint> endpoints,
         bool from_itself)
        : news(executor), end_(executor), from_itself_(from_itself) {
        // Nothing may move an attempt while the kernel works on it.
        attempts_.reserve(endpoints.size());
        endpoints_ = std::move(endpoints);
    }

    asio::steady_timer news;  ///< Ends its wait whenever an attempt has ended.

    [[nodiscard]] bool all_begun() const { return attempts_.size() == endpoints_.size(); }
    [[nodiscard]] bool all_lost() const { return all_begun() && open_ == 0; }
    [[nodiscard]] bool is_over() const { return over_; }
    [[nodiscard]] bool won() const { return winner_.has_value(); }

    /// True once after an attempt has failed: then the next one does not have to wait.
    [[nodiscard]] bool may_hurry() { return std::exchange(hurry_, false); }

    void begin_next() {
        const std::size_t number = attempts_.size();
        Attempt& attempt = attempts_.emplace_back(news.get_executor());
        const tcp::endpoint& endpoint = endpoints_[number];
        if (from_itself_ && !endpoint.address().is_loopback()) {
            attempt.socket.open(endpoint.protocol(), attempt.failure);
            const tcp::endpoint itself(endpoint.address(), 0);
            if (!attempt.failure) attempt.socket.bind(itself, attempt.failure);
        }
        hurry_ = attempt.failure.failed();
        if (hurry_) return;
        ++open_;
        attempt.socket.async_connect(endpoint,
                                     [race = shared_from_this(), number](const error_code& error) {
                                         race->ended(number, error);
                                     });
    }

    void end_after(std::chrono::milliseconds limit) {
        end_.expires_after(limit);
        end_.async_wait([race = shared_from_this()](const error_code& stopped) {
            if (stopped) return;
            race->over_ = true;
            race->news.cancel();
        });
    }

    [[nodiscard]] tcp::socket take_winner() { return std::move(attempts_[*winner_].socket); }

    void close_all() {
        error_code ignored;
        for (Attempt& attempt : attempts_) attempt.socket.close(ignored);
        end_.cancel();
    }

    /// "192.0.2.1: Connection refused; 192.0.2.2: no answer in time", sorted, because name servers
    /// vary the order of addresses.
    [[nodiscard]] std::string failures() const {
        std::set<std::string> texts;
        for (std::size_t i = 0; i < attempts_.size(); ++i) {
            const error_code& failure = attempts_[i].failure;
            texts.insert(fmt::format("{}: {}", endpoints_[i].address().to_string(),
                                     failure ? reason(failure) : "no answer in time"));
        }
        return fmt::format("{}", fmt::join(texts, "; "));
    }

  private:
    struct Attempt {
        explicit Attempt(const asio::any_io_executor& executor) : socket(executor) {}

        tcp::socket socket;
        error_code failure;
    };

    void ended(std::size_t number, const error_code& error) {
        --open_;
        attempts_[number].failure = error;
        if (error) hurry_ = true;
        if (!error && !winner_) winner_ = number;
        news.cancel();
    }

    asio::steady_timer end_;
    std::vector<tcp::endpoint> endpoints_;
    bool from_itself_;
    std::vector<Attempt> attempts_;
    std::optional<std::size_t> winner_;
    std::size_t open_ = 0;
    bool hurry_ = false;
    bool over_ = false;
};

/// Ends the attempts however the race ends.
struct Finish {
    explicit Finish(Race& that) : race(that) {}
    Finish(const Finish&) = delete;
    Finish& operator=(const Finish&) = delete;
    ~Finish() { race.close_all(); }

    Race& race;
};

}  // namespace

Task<Result<tcp::socket>> connect_to_first(std::vector<tcp::endpoint> endpoints,
                                           RaceOptions options) {
    invariant(!endpoints.empty(), "a connection needs at least one address");
    const auto executor = co_await asio::this_coro::executor;
    const auto race = std::make_shared<Race>(executor, std::move(endpoints), options.from_itself);
    const Finish finish(*race);
    race->end_after(options.limit);
    bool next = true;
    while (!race->won() && !race->all_lost() && !race->is_over()) {
        if (!race->all_begun() && (next || race->may_hurry())) {
            race->begin_next();
            next = false;
            continue;
        }
        if (race->all_begun()) {
            race->news.expires_at(asio::steady_timer::time_point::max());
        } else {
            race->news.expires_after(options.head_start);
        }
        const auto [stopped] = co_await race->news.async_wait(as_error);
        next = !stopped;
        const auto state = co_await asio::this_coro::cancellation_state;
        if (state.cancelled() != asio::cancellation_type::none) {
            throw boost::system::system_error(asio::error::operation_aborted);
        }
    }
    if (race->won()) co_return race->take_winner();
    co_return Error{Fault::unreachable, race->failures()};
}

}  // namespace keyturn
