#include "http/resolver.hpp"

#include "base/invariant.hpp"
#include "base/unique_fd.hpp"
#include "http/deadline.hpp"

#include <ares.h>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <netinet/in.h>
#include <sys/time.h>

namespace keyturn {

namespace {

namespace asio = boost::asio;
using asio::posix::stream_descriptor;

// The first question waits this long, and each further round twice as long. So a lost packet does
// not cost the whole deadline of the step, as it would with c-ares's default of five seconds.
constexpr int first_try_milliseconds = 1'000;
constexpr int tries_max = 4;
constexpr std::chrono::milliseconds longest_sleep{1'000};

/// What c-ares reports. It must outlive the channel, which also reports when it ends.
struct Answer {
    bool done = false;
    int status = ARES_SUCCESS;
    Addresses addresses;
};

asio::ip::address address_of(const sockaddr* socket_address) {
    if (socket_address->sa_family == AF_INET) {
        sockaddr_in v4{};
        std::memcpy(&v4, socket_address, sizeof v4);
        return asio::ip::address_v4(ntohl(v4.sin_addr.s_addr));
    }
    sockaddr_in6 v6{};
    std::memcpy(&v6, socket_address, sizeof v6);
    asio::ip::address_v6::bytes_type bytes;
    std::memcpy(bytes.data(), &v6.sin6_addr, bytes.size());
    return asio::ip::address_v6(bytes, v6.sin6_scope_id);
}

void take_answer(void* argument, int status, int /*timeouts*/, ares_addrinfo* found) {
    auto& answer = *static_cast<Answer*>(argument);
    answer.done = true;
    answer.status = status;
    if (found == nullptr) return;
    for (const auto* node = found->nodes; node != nullptr; node = node->ai_next) {
        answer.addresses.push_back(address_of(node->ai_addr));
    }
    ares_freeaddrinfo(found);
}

struct ChannelCloser {
    void operator()(ares_channeldata* channel) const { ares_destroy(channel); }
};
using Channel = std::unique_ptr<ares_channeldata, ChannelCloser>;

Result<Channel> open_channel(const std::string& name_servers) {
    ares_options options{};
    options.timeout = first_try_milliseconds;
    options.tries = tries_max;
    char lookups[] = "fb";  // /etc/hosts first, then the name servers.
    options.lookups = lookups;
    const int mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_LOOKUPS | ARES_OPT_DOMAINS;
    ares_channel raw = nullptr;
    int status = ares_init_options(&raw, &options, mask);
    if (status != ARES_SUCCESS) {
        return Error{Fault::unreachable,
                     fmt::format("cannot start a name look-up: {}", ares_strerror(status))};
    }
    Channel channel(raw);
    if (!name_servers.empty()) {
        status = ares_set_servers_ports_csv(raw, name_servers.c_str());
        if (status != ARES_SUCCESS) {
            return Error{Fault::invalid, fmt::format("the name servers '{}' are not a list of "
                                                     "address:port",
                                                     name_servers)};
        }
    }
    return channel;
}

/// Wakes the look-up when one of c-ares's sockets is ready. It is shared with the handlers, which
/// may run after the round that started them.
struct Wake {
    explicit Wake(const asio::any_io_executor& executor) : timer(executor) {}

    asio::steady_timer timer;
    std::vector<std::pair<ares_socket_t, stream_descriptor::wait_type>> ready;
};

/// Waits for one direction of one socket, on a duplicate descriptor, so that it does not matter
/// whether c-ares or this file closes its descriptor first.
void watch(std::vector<stream_descriptor>& watched, const std::shared_ptr<Wake>& wake,
           ares_socket_t socket, stream_descriptor::wait_type direction) {
    UniqueFd own(::fcntl(socket, F_DUPFD_CLOEXEC, 0));
    if (!own.valid()) return;  // The round's timer still drives the look-up.
    watched.emplace_back(wake->timer.get_executor(), own.release());
    watched.back().async_wait(direction,
                              [wake, socket, direction](boost::system::error_code error) {
                                  if (error) return;
                                  wake->ready.emplace_back(socket, direction);
                                  wake->timer.cancel();
                              });
}

std::vector<stream_descriptor> watch_all(ares_channeldata* channel,
                                         const std::shared_ptr<Wake>& wake) {
    std::array<ares_socket_t, ARES_GETSOCK_MAXNUM> sockets{};
    const int wanted = ares_getsock(channel, sockets.data(), ARES_GETSOCK_MAXNUM);
    std::vector<stream_descriptor> watched;
    for (std::size_t i = 0; i < sockets.size(); ++i) {
        const auto bit = static_cast<unsigned>(wanted) >> i;
        if ((bit & 1U) != 0) watch(watched, wake, sockets[i], stream_descriptor::wait_read);
        if ((bit & (1U << ARES_GETSOCK_MAXNUM)) != 0) {
            watch(watched, wake, sockets[i], stream_descriptor::wait_write);
        }
    }
    return watched;
}

std::chrono::milliseconds time_to_next_try(ares_channeldata* channel) {
    timeval longest{};
    longest.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(longest_sleep).count();
    timeval result{};
    const timeval* next = ares_timeout(channel, &longest, &result);
    const auto time = std::chrono::seconds{next->tv_sec} + std::chrono::microseconds{next->tv_usec};
    return std::chrono::ceil<std::chrono::milliseconds>(time);
}

void process(ares_channeldata* channel, Wake& wake) {
    const auto ready = std::exchange(wake.ready, {});
    if (ready.empty()) ares_process_fd(channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
    for (const auto& [socket, direction] : ready) {
        const bool readable = direction == stream_descriptor::wait_read;
        ares_process_fd(channel, readable ? socket : ARES_SOCKET_BAD,
                        readable ? ARES_SOCKET_BAD : socket);
    }
}

Error failure_of(const std::string& host, int status) {
    const bool absent = status == ARES_ENOTFOUND || status == ARES_ENODATA;
    return Error{Fault::unreachable,
                 fmt::format("cannot find the address of {}: {}", host,
                             absent ? "the name does not exist" : ares_strerror(status))};
}

/// Alternates the families, beginning with the one that c-ares's sorting (RFC 6724) prefers.
Addresses taking_turns(const Addresses& sorted) {
    Addresses preferred;
    Addresses others;
    for (const auto& address : sorted) {
        (address.is_v6() == sorted.front().is_v6() ? preferred : others).push_back(address);
    }
    Addresses mixed;
    for (std::size_t i = 0; i < std::max(preferred.size(), others.size()); ++i) {
        if (i < preferred.size()) mixed.push_back(preferred[i]);
        if (i < others.size()) mixed.push_back(others[i]);
    }
    if (mixed.size() > addresses_max) mixed.resize(addresses_max);
    return mixed;
}

Task<Result<Addresses>> look_up(std::string host, std::string name_servers) {
    Answer answer;
    auto channel = open_channel(name_servers);
    if (!channel) co_return channel.error();
    ares_addrinfo_hints hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    ares_getaddrinfo(channel->get(), host.c_str(), nullptr, &hints, take_answer, &answer);
    const auto executor = co_await asio::this_coro::executor;
    const auto wake = std::make_shared<Wake>(executor);
    while (!answer.done) {
        wake->timer.expires_after(time_to_next_try(channel->get()));
        const auto watched = watch_all(channel->get(), wake);
        co_await wake->timer.async_wait(asio::as_tuple(asio::use_awaitable));
        process(channel->get(), *wake);
    }
    if (answer.addresses.empty()) co_return failure_of(host, answer.status);
    co_return taking_turns(answer.addresses);
}

}  // namespace

Task<Result<Addresses>> resolve(std::string host, std::string name_servers,
                                std::chrono::milliseconds limit) {
    boost::system::error_code error;
    const auto literal = asio::ip::make_address(host, error);
    if (!error) co_return Addresses(1, literal);
    auto work = look_up(host, std::move(name_servers));
    auto found = co_await with_deadline(limit, std::move(work));
    if (!found) {
        co_return Error{Fault::unreachable,
                        fmt::format("no name server returned the address of {} within {} ms", host,
                                    limit.count())};
    }
    co_return std::move(*found);
}

}  // namespace keyturn
