#pragma once

#include "asio/task.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>

namespace keyturn {

/// What a name server does with every question.
enum class NameAnswer { loopback, no_such_name, silence };

/// A name server on a loopback port, in the test's own io_context.
class NameServer {
  public:
    NameServer(boost::asio::io_context& context, NameAnswer answer);
    ~NameServer();

    /// "127.0.0.1:5353", as `HttpClientOptions::name_servers` wants it.
    [[nodiscard]] std::string address() const;
    [[nodiscard]] int questions() const;

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace keyturn
