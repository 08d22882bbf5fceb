#pragma once

#include "base/result.hpp"
#include "base/secret.hpp"
#include "http/http_client.hpp"

#include <memory>
#include <span>
#include <vector>

namespace keyturn {

/// Turns the bytes of a connection into one answer, without any I/O. Read bytes into `space()` and
/// pass their number to `received()` until it reports that the answer is complete. It skips a
/// limited number of interim answers (1xx). All its buffers are wiped.
class ResponseReader {
  public:
    explicit ResponseReader(const HttpLimits& limits);
    ~ResponseReader();

    /// Where the next bytes go. Never empty before the answer is complete.
    [[nodiscard]] std::span<char> space();

    /// Takes `size` bytes that were put into `space()`. Returns true if the answer is complete.
    /// Fails with `Fault::invalid` if the answer is outside the protocol or over a limit.
    [[nodiscard]] Result<bool> received(std::size_t size);

    /// The peer ended the stream in an orderly way. Returns true if that completes the answer (one
    /// without a length). Fails with `Fault::ambiguous` if the answer is cut off.
    [[nodiscard]] Result<bool> ended();

    /// True once a byte of an answer has arrived.
    [[nodiscard]] bool began() const { return began_; }

    /// True if the connection may carry another request. Only for a complete answer.
    [[nodiscard]] bool may_keep() const;

    /// Returns the complete answer. Call it once.
    [[nodiscard]] HttpResponse take();

  private:
    struct Parser;  ///< Beast's, which only the .cpp file includes.

    void start_answer();
    Result<bool> parse();
    [[nodiscard]] bool is_one_byte_short() const;
    [[nodiscard]] bool is_interim() const;

    HttpLimits limits_;
    std::unique_ptr<Parser> parser_;
    std::vector<char, WipingAllocator<char>> buffer_;
    std::size_t used_ = 0;
    std::size_t left_over_ = 0;  ///< Bytes that the parser saw and did not consume.
    std::size_t bytes_left_;
    int interim_answers_ = 0;
    bool began_ = false;
};

}  // namespace keyturn
