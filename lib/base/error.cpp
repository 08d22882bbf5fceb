#include "base/error.hpp"

#include "base/invariant.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace keyturn {

namespace {

/// Removes everything from `opening` to `closing`, inclusive.
std::string without(std::string text, std::string_view opening, std::string_view closing) {
    for (auto start = text.find(opening); start != std::string::npos;
         start = text.find(opening, start)) {
        const auto end = text.find(closing, start);
        if (end == std::string::npos) break;
        text.erase(start, end + closing.size() - start);
    }
    return text;
}

/// Removes what changes from answer to answer: Cloudflare's ray id, and the time of the next
/// possible call.
std::string without_details(std::string text) {
    return without(without(std::move(text), " (cf-ray ", ")"), "; the next call is possible at ",
                   " UTC");
}

}  // namespace

Error with_context(std::string_view context, Error error) {
    error.text = fmt::format("{}: {}", context, error.text);
    return error;
}

std::string errno_text(int errno_value) {
    if (errno_value == EMFILE) return "no file descriptor is left (EMFILE)";
    if (errno_value == ENFILE) return "no file descriptor is left on this host (ENFILE)";
    return std::strerror(errno_value);
}

Error errno_error(int errno_value, std::string_view what) {
    Fault fault = Fault::storage;
    if (errno_value == EACCES || errno_value == EPERM) fault = Fault::denied;
    if (errno_value == ENOENT || errno_value == ENOTDIR) fault = Fault::missing;
    if (errno_value == ELOOP || errno_value == EINVAL) fault = Fault::invalid;
    return Error{fault, fmt::format("{}: {}", what, errno_text(errno_value))};
}

bool say_the_same(const std::string& left, const std::string& right) {
    return without_details(left) == without_details(right);
}

void throw_exception_from_error(const Error& error, const boost::source_location&) {
    invariant_failed(fmt::format("value() of a failed result: {}", error.text), __FILE__, __LINE__);
}

}  // namespace keyturn
