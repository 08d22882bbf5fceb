#include "base/error.hpp"

#include "base/invariant.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace keyturn {

namespace {

std::string without_ray(std::string text) {
    constexpr std::string_view opening = " (cf-ray ";
    for (auto start = text.find(opening); start != std::string::npos;
         start = text.find(opening, start)) {
        const auto end = text.find(')', start);
        if (end == std::string::npos) break;
        text.erase(start, end + 1 - start);
    }
    return text;
}

}  // namespace

std::string_view name_of(Fault fault) {
    switch (fault) {
        case Fault::unreachable: return "unreachable";
        case Fault::busy: return "busy";
        case Fault::ambiguous: return "ambiguous";
        case Fault::denied: return "denied";
        case Fault::missing: return "missing";
        case Fault::conflict: return "conflict";
        case Fault::invalid: return "invalid";
        case Fault::storage: return "storage";
        case Fault::cancelled: return "cancelled";
    }
    return "unknown";
}

Error with_context(std::string_view context, Error error) {
    error.text = fmt::format("{}: {}", context, error.text);
    return error;
}

Error errno_error(int errno_value, std::string_view what) {
    Fault fault = Fault::storage;
    if (errno_value == EACCES || errno_value == EPERM) fault = Fault::denied;
    if (errno_value == ENOENT || errno_value == ENOTDIR) fault = Fault::missing;
    if (errno_value == ELOOP || errno_value == EINVAL) fault = Fault::invalid;
    return Error{fault, fmt::format("{}: {}", what, std::strerror(errno_value))};
}

bool say_the_same(const std::string& left, const std::string& right) {
    return without_ray(left) == without_ray(right);
}

void throw_exception_from_error(const Error& error, const boost::source_location& where) {
    invariant_failed(fmt::format("value() of a failed result: {}", error.text), where.file_name(),
                     where.line());
}

}  // namespace keyturn
