// The only file of ours that uses Beast, because compiling it takes many seconds.
#include "http/response_reader.hpp"

#include "base/ascii.hpp"
#include "base/invariant.hpp"

#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/vector_body.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace keyturn {

namespace {

namespace http = boost::beast::http;
using boost::system::error_code;

// A vector has no buffer inside the object, so every byte of a body goes through its allocator.
using Body = http::vector_body<char, WipingAllocator<char>>;

constexpr int interim_answers_max = 8;
constexpr std::size_t reading_ahead = 4 * 1024;
/// Most answers fit into this, and memory for secrets has blocks of this size at hand.
constexpr std::size_t first_space = 4 * 1024;

Error failure_of(const error_code& error, const HttpLimits& limits) {
    if (error == http::error::header_limit) {
        return Error{Fault::invalid,
                     fmt::format("the answer's headers exceed {} bytes", limits.header_bytes_max)};
    }
    if (error == http::error::body_limit) {
        return Error{Fault::invalid,
                     fmt::format("the answer's body exceeds {} bytes", limits.body_bytes_max)};
    }
    // Beast's texts name a rule ("bad chunk") and never quote the input.
    return Error{Fault::invalid, fmt::format("the answer is not HTTP: {}", error.message())};
}

}  // namespace

struct ResponseReader::Parser : http::response_parser<Body, WipingAllocator<char>> {};

ResponseReader::ResponseReader(const HttpLimits& limits)
    : limits_(limits),
      buffer_(first_space),
      bytes_left_(limits.header_bytes_max + 2 * limits.body_bytes_max + reading_ahead) {
    start_answer();
}

ResponseReader::~ResponseReader() = default;

std::span<char> ResponseReader::space() {
    return {buffer_.data() + used_, buffer_.size() - used_};
}

Result<bool> ResponseReader::received(std::size_t size) {
    invariant(size <= buffer_.size() - used_, "bytes must be read into the reader's own space");
    used_ += size;
    began_ = began_ || size > 0;
    // A limit for the total, so that chunk headers cannot make an answer endless.
    if (size > bytes_left_) return Error{Fault::invalid, "the answer does not end"};
    bytes_left_ -= size;
    return parse();
}

Result<bool> ResponseReader::ended() {
    error_code error;
    if (parser_->got_some()) parser_->put_eof(error);
    if (!error && parser_->is_done()) return true;
    return Error{Fault::ambiguous, "the answer was cut off"};
}

bool ResponseReader::may_keep() const {
    return parser_->keep_alive() && used_ == 0;
}

HttpResponse ResponseReader::take() {
    const auto& message = parser_->get();
    HttpResponse response;
    response.status = static_cast<int>(message.result_int());
    for (const auto& field : message) {
        const std::string_view name(field.name_string().data(), field.name_string().size());
        response.headers.emplace_back(lower(name), std::string(field.value()));
    }
    response.body = Secret::copy_of({message.body().data(), message.body().size()});
    return response;
}

void ResponseReader::start_answer() {
    parser_ = std::make_unique<Parser>();
    parser_->eager(true);
    parser_->header_limit(static_cast<std::uint32_t>(limits_.header_bytes_max));
    parser_->body_limit(limits_.body_bytes_max);
}

Result<bool> ResponseReader::parse() {
    while (used_ > 0 && !is_one_byte_short()) {
        error_code error;
        const boost::asio::const_buffer input(buffer_.data(), used_);
        const std::size_t consumed = parser_->put(input, error);
        std::memmove(buffer_.data(), buffer_.data() + consumed, used_ - consumed);
        used_ -= consumed;
        left_over_ = used_;
        if (error && error != http::error::need_more) return failure_of(error, limits_);
        if (parser_->is_done()) {
            if (!is_interim()) return true;
            if (++interim_answers_ > interim_answers_max) {
                return Error{Fault::invalid, "the answer consists only of interim answers (1xx)"};
            }
            start_answer();
        } else if (error || consumed == 0) {
            break;
        }
    }
    const std::size_t size_max = limits_.header_bytes_max + reading_ahead;
    if (used_ >= size_max) return Error{Fault::invalid, "a line of the answer is too long"};
    if (space().empty()) buffer_.resize(std::min(2 * buffer_.size(), size_max));
    return false;
}

/// True if Beast must not see the buffer yet. At the end of an empty chunked body ("0 CR LF CR
/// LF"), Beast asks for more after three of the five bytes, but an assertion ends the process
/// if it then sees exactly four. A fourth byte after three incomplete ones never completes
/// anything, so waiting for the fifth loses nothing.
bool ResponseReader::is_one_byte_short() const {
    return left_over_ == 3 && used_ == 4;
}

/// 101 would switch the protocol, which keyturn never requests, so it counts as a final status.
bool ResponseReader::is_interim() const {
    const unsigned status = parser_->get().result_int();
    return status >= 100 && status < 200 && status != 101;
}

}  // namespace keyturn
