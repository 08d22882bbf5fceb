#pragma once

#include "asio/task.hpp"

#include <boost/asio/io_context.hpp>

#include <memory>
#include <string>
#include <vector>

namespace keyturn {

/// An HTTP proxy on a loopback port that leads every CONNECT to one port of loopback, in the test's
/// own io_context.
class TunnelProxy {
  public:
    TunnelProxy(boost::asio::io_context& context, const std::string& port_behind);
    ~TunnelProxy();

    [[nodiscard]] std::string port() const;

    /// The head of each request, and all bytes that clients sent through the tunnels.
    [[nodiscard]] const std::vector<std::string>& requests() const;
    [[nodiscard]] const std::string& passed() const;

  private:
    class Impl;
    std::shared_ptr<Impl> impl_;
};

}  // namespace keyturn
