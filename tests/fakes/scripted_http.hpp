#pragma once

#include "asio/task.hpp"
#include "http/http_client.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <deque>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace keyturn {

/// Answers what it was told to, in order, and remembers what it was asked.
class ScriptedHttp final : public HttpClient {
  public:
    struct Asked {
        HttpOrigin origin;
        std::string method;
        std::string target;
        std::string bearer;
        std::string body;
        std::map<std::string, std::string> headers{};
    };

    void will_answer(int status, std::string_view body,
                     std::vector<std::pair<std::string, std::string>> headers = {}) {
        HttpResponse response;
        response.status = status;
        response.headers = std::move(headers);
        response.body = Secret::copy_of(body);
        answers_.emplace_back(std::move(response));
    }
    void will_fail(Error error) { answers_.emplace_back(std::move(error)); }

    Task<Result<HttpResponse>> send(HttpOrigin origin, HttpRequest request) override {
        asked.push_back({std::move(origin), request.method, request.target,
                         std::string(request.bearer.reveal()), std::string(request.body.reveal())});
        for (const auto& [name, value] : request.headers) {
            asked.back().headers[name] = value.reveal();
        }
        if (answers_.empty()) co_return Error{Fault::invalid, "the test has no answer left"};
        auto answer = std::move(answers_.front());
        answers_.pop_front();
        co_return answer;
    }

    void close_idle() override { ++rests; }

    std::vector<Asked> asked;
    int rests = 0;

  private:
    std::deque<Result<HttpResponse>> answers_;
};

/// Runs one step to its end and gives back what it returned.
template <class T>
T finished(Task<T> task) {
    boost::asio::io_context context;
    std::optional<T> result;
    auto keep = [&result](std::exception_ptr error, T value) {
        if (!error) result.emplace(std::move(value));
    };
    boost::asio::co_spawn(context, std::move(task), std::move(keep));
    context.run();
    if (!result) throw std::runtime_error("the step ended in an exception");
    return std::move(*result);
}

}  // namespace keyturn
