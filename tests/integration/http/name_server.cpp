#include "integration/http/name_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>

namespace keyturn {

namespace {

namespace asio = boost::asio;
using asio::ip::udp;

constexpr auto as_error = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t header_size = 12;

/// Where the question ends: labels up to an empty one, then type and class.
std::size_t end_of_question(const std::string& query) {
    std::size_t place = header_size;
    while (place < query.size() && query[place] != 0) {
        place += static_cast<unsigned char>(query[place]) + 1U;
    }
    return place + 5;
}

/// The reply to `query`: 127.0.0.1 for type A, no record for other types, or "no such name".
std::string reply_to(const std::string& query, NameAnswer answer) {
    std::string reply = query.substr(0, end_of_question(query));
    const bool wants_v4 = reply[reply.size() - 3] == 1;
    const bool found = answer == NameAnswer::loopback && wants_v4;
    reply[2] = static_cast<char>(0x81);  // A response; recursion was desired.
    reply[3] = static_cast<char>(answer == NameAnswer::no_such_name ? 0x83 : 0x80);
    for (const std::size_t place : {7U, 9U, 11U}) reply[place] = 0;
    if (!found) return reply;
    reply[7] = 1;
    // The name by reference to the question, A, IN, ten seconds, four bytes.
    constexpr std::string_view record("\xc0\x0c\0\x01\0\x01\0\0\0\x0a\0\x04\x7f\0\0\x01", 16);
    return reply.append(record);
}

}  // namespace

class NameServer::Impl {
  public:
    Impl(asio::io_context& context, NameAnswer answer)
        : answer_(answer), socket_(context, udp::endpoint(asio::ip::address_v4::loopback(), 0)) {}

    Task<> serve(std::shared_ptr<Impl> self) {
        std::array<char, 512> bytes{};
        const auto buffer = asio::buffer(bytes);
        for (;;) {
            udp::endpoint client;
            auto [error, size] =
                co_await self->socket_.async_receive_from(buffer, client, as_error);
            if (error) co_return;
            ++questions;
            if (answer_ == NameAnswer::silence) continue;
            const std::string reply = reply_to({bytes.data(), size}, answer_);
            const auto sending = asio::buffer(reply);
            co_await self->socket_.async_send_to(sending, client, as_error);
        }
    }

    std::string address() const {
        return fmt::format("127.0.0.1:{}", socket_.local_endpoint().port());
    }
    void stop() { socket_.close(); }

    int questions = 0;

  private:
    NameAnswer answer_;
    udp::socket socket_;
};

NameServer::NameServer(asio::io_context& context, NameAnswer answer)
    : impl_(std::make_shared<Impl>(context, answer)) {
    auto report = [](std::exception_ptr error) { EXPECT_FALSE(error) << "the name server threw"; };
    asio::co_spawn(context, impl_->serve(impl_), std::move(report));
}

NameServer::~NameServer() {
    impl_->stop();
}

std::string NameServer::address() const {
    return impl_->address();
}
int NameServer::questions() const {
    return impl_->questions;
}

}  // namespace keyturn
