#pragma once

#include "asio/task.hpp"
#include "http/http_client.hpp"
#include "integration/peers/tls_server.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <optional>

namespace keyturn {

using namespace std::chrono_literals;

/// The real client and a real server on loopback. The limits are far off, so that a busy machine
/// does not reach them; a test of a deadline sets its own to `short_limit`.
class HttpsTest : public testing::Test {
  protected:
    using Outcome = Result<HttpResponse>;

    HttpsTest() {
        options.ca_file = test_authority_file();
        options.limits.resolve = far_limit;
        options.limits.connect = far_limit;
        options.limits.handshake = far_limit;
        options.limits.exchange = far_limit;
        options.limits.body_bytes_max = 64 * 1024;
    }

    void serve(Welcome welcome = Welcome::tls, const CertificateWish& certificate = {}) {
        server.emplace(context, welcome, certificate);
    }

    HttpClient& client() {
        if (!client_) client_ = make_http_client(context.get_executor(), options);
        return *client_;
    }

    /// The next client has the options of that moment.
    void leave_client() { client_.reset(); }

    Outcome send(const std::string& method = "GET", const std::string& host = "127.0.0.1") {
        const HttpOrigin origin{host, server->port(), true};
        return send_to(origin, method);
    }

    Outcome send_to(const HttpOrigin& origin, const std::string& method = "GET") {
        start(origin, method);
        return outcome_of_start();
    }

    Outcome outcome_of_start() {
        run_to_outcome();
        return std::move(*outcome_);
    }

    /// Begins a send that `signal` can cancel.
    void start(const HttpOrigin& origin, const std::string& method) {
        HttpRequest request;
        request.method = method;
        request.bearer = Secret::copy_of("cfut_test_credential");
        outcome_.reset();
        auto task = client().send(origin, std::move(request));
        auto keep = [this](std::exception_ptr error, Outcome outcome) {
            EXPECT_FALSE(error) << "send() threw";
            outcome_.emplace(std::move(outcome));
        };
        boost::asio::co_spawn(context, std::move(task),
                              boost::asio::bind_cancellation_slot(signal.slot(), std::move(keep)));
    }

    /// Lets the server notice what the client did last.
    template <class Condition>
    bool comes_true(Condition condition) {
        const auto begin = std::chrono::steady_clock::now();
        while (!condition() && std::chrono::steady_clock::now() - begin < longest_test) {
            context.restart();
            context.run_one_for(10ms);
        }
        return condition();
    }

    static void expect_fault(const Outcome& outcome, Fault fault, const std::string& text) {
        ASSERT_FALSE(outcome) << "HTTP " << outcome->status;
        EXPECT_EQ(outcome.error().fault, fault) << outcome.error().text;
        EXPECT_THAT(outcome.error().text, testing::HasSubstr(text));
        EXPECT_THAT(outcome.error().text, testing::Not(testing::HasSubstr("cfut_")));
    }

    /// A deadline ended the last send: not before its time and not much after it.
    void expect_took_short_limit() const {
        EXPECT_GE(took, short_limit - 10ms);
        EXPECT_LT(took, short_limit + 1s);
    }

    static constexpr std::chrono::milliseconds short_limit{200};
    static constexpr std::chrono::seconds far_limit{8};
    static constexpr std::chrono::seconds longest_test{20};
    static constexpr std::chrono::seconds at_once{4};

    boost::asio::io_context context{1};
    HttpClientOptions options;
    std::optional<TlsServer> server;
    boost::asio::cancellation_signal signal;
    std::chrono::steady_clock::duration took{};

  private:
    void run_to_outcome() {
        const auto begin = std::chrono::steady_clock::now();
        context.restart();
        while (!outcome_ && std::chrono::steady_clock::now() - begin < longest_test) {
            context.run_one_for(100ms);
        }
        took = std::chrono::steady_clock::now() - begin;
        if (!outcome_) outcome_.emplace(Error{Fault::invalid, "the test waited too long"});
    }

    std::unique_ptr<HttpClient> client_;
    std::optional<Outcome> outcome_;
};

}  // namespace keyturn
