#pragma once

#include "base/names.hpp"

#include <boost/assert/source_location.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace keyturn {

/// What a failure means for the caller. It is decided where the failure is born, because only that
/// place knows; nobody further up looks at texts.
enum class Fault {
    unreachable,  ///< Nobody answered in time: asking again later may help.
    busy,         ///< Answered "later": asking again after `Error::retry_after` helps.
    ambiguous,    ///< The request may have taken effect although no answer came.
    denied,       ///< A credential or a right is missing: a person has to grant it.
    missing,      ///< The thing that was named does not exist.
    conflict,     ///< Somebody else's action stands in the way (an operator's job, another daemon).
    invalid,      ///< What came back, or what we were given, makes no sense.
    storage,      ///< The disk is full, read-only or broken.
    cancelled,    ///< We were told to stop; not an error to retry or to report.
};

/// True where waiting and asking again can help without anybody doing anything.
[[nodiscard]] constexpr bool passes_by_itself(Fault fault) {
    return fault == Fault::unreachable || fault == Fault::busy || fault == Fault::ambiguous ||
           fault == Fault::storage;
}

template <>
inline constexpr Names<Fault, 9> names<Fault>{{
    {Fault::unreachable, "unreachable"},
    {Fault::busy, "busy"},
    {Fault::ambiguous, "ambiguous"},
    {Fault::denied, "denied"},
    {Fault::missing, "missing"},
    {Fault::conflict, "conflict"},
    {Fault::invalid, "invalid"},
    {Fault::storage, "storage"},
    {Fault::cancelled, "cancelled"},
}};

/// A failure that an operator can meet. `text` is a clause that says what failed, without a final
/// full stop, and never holds a secret or a body that came over the network.
struct Error {
    Fault fault = Fault::invalid;
    std::string text;
    std::chrono::seconds retry_after{0};

    bool operator==(const Error&) const = default;
};

/// Puts `context` before the text: "cannot read the policy: permission denied".
[[nodiscard]] Error with_context(std::string_view context, Error error);

/// The text for an errno value, as a `Fault::storage`, `denied` or `missing` error.
[[nodiscard]] Error errno_error(int errno_value, std::string_view what);

/// Whether two texts say the same. The number that Cloudflare gives to each of its answers does not
/// count: with it, a server that goes on failing in one way would be news each time.
[[nodiscard]] bool say_the_same(const std::string& left, const std::string& right);

/// Called by `Result::value()` on an error. Reaching it is a bug, so it ends the process.
[[noreturn]] void throw_exception_from_error(const Error& error,
                                             const boost::source_location& where);

}  // namespace keyturn
