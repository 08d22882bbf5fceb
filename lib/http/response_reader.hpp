#pragma once

#include "base/result.hpp"
#include "http/http_client.hpp"

#include <memory>
#include <span>

namespace keyturn {

/// Turns the bytes of a connection into one answer, without any I/O: read into `space()`, then tell
/// `received()` how many bytes came, until it says that the answer is whole. Interim answers (1xx)
/// are skipped, a bounded number of them. Every buffer in here is wiped.
class ResponseReader {
  public:
    explicit ResponseReader(const HttpLimits& limits);
    ~ResponseReader();

    /// Where the next bytes go. Never empty before the answer is whole.
    [[nodiscard]] std::span<char> space();

    /// `size` bytes were put into `space()`. True when the answer is whole; `Fault::invalid` when
    /// it is outside the protocol or over a limit.
    [[nodiscard]] Result<bool> received(std::size_t size);

    /// The peer has ended the stream in an orderly way. True when that completes the answer (one
    /// without a length); `Fault::ambiguous` when the answer is cut off.
    [[nodiscard]] Result<bool> ended();

    /// True once a byte of an answer has come.
    [[nodiscard]] bool began() const;

    /// For a whole answer: the connection may carry another request.
    [[nodiscard]] bool may_keep() const;

    /// The whole answer, once.
    [[nodiscard]] HttpResponse take();

  private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace keyturn
