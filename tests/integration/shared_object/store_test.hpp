#pragma once

#include "clock/clock.hpp"
#include "http/http_client.hpp"
#include "shared_object/shared_object.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>

namespace keyturn {

using namespace std::chrono_literals;
using Found = ObjectReading::Found;

inline void PrintTo(const ObjectReading& reading, std::ostream* stream) {
    *stream << static_cast<int>(reading.found) << " " << reading.version << " "
            << reading.text.substr(0, 80);
}

/// An object as one host has it: with a client of its own.
struct OpenObject {
    std::unique_ptr<HttpClient> http;
    std::unique_ptr<SharedObject> object;

    SharedObject* operator->() const { return object.get(); }
};

/// Real time, because the store is another process.
class StoreTest : public testing::Test {
  protected:
    template <class T>
    T finished(Task<T> task) {
        std::optional<T> result;
        auto keep = [&result](std::exception_ptr error, T value) {
            EXPECT_FALSE(error) << "the call threw";
            result.emplace(std::move(value));
        };
        boost::asio::co_spawn(context, std::move(task), std::move(keep));
        run_until([&] { return result.has_value(); });
        return std::move(*result);
    }

    void finish(Task<> task) {
        bool done = false;
        auto keep = [&done](std::exception_ptr error) {
            EXPECT_FALSE(error) << "the call threw";
            done = true;
        };
        boost::asio::co_spawn(context, std::move(task), std::move(keep));
        run_until([&] { return done; });
    }

    template <class Condition>
    void run_until(Condition condition) {
        const auto end = std::chrono::steady_clock::now() + longest_test;
        while (!condition() && std::chrono::steady_clock::now() < end) {
            context.restart();
            context.run_one_for(100ms);
        }
        if (!condition()) throw std::runtime_error("the test waited too long");
    }

    static constexpr auto longest_test = 90s;

    boost::asio::io_context context{1};
    std::unique_ptr<Clock> clock = make_clock(context.get_executor());
};

}  // namespace keyturn
