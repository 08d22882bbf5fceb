#pragma once

#include "base/names.hpp"

#include <boost/assert/source_location.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace keyturn {

/// What a failure means for the caller. Only the place where a failure occurs can know that, so it
/// decides, and nobody further up looks at texts.
enum class Fault {
    unreachable,  ///< Nobody answered in time; asking again later may help.
    busy,         ///< The answer was "later"; asking again after `Error::retry_after` helps.
    ambiguous,    ///< The request may have taken effect although no answer came.
    denied,       ///< A credential or a right is missing; a person has to grant it.
    missing,      ///< What was named does not exist.
    conflict,     ///< Somebody else's action is in the way (an operator's job, another daemon).
    invalid,      ///< The answer or the input makes no sense.
    storage,      ///< The disk is full, read-only or broken.
    cancelled,    ///< The caller was told to stop; not an error to retry or report.
    deposed,      ///< Another host leads this rotation now: forget it here.
    silent,       ///< Another host has to act and says nothing; a person has to decide.
};

/// True if waiting and asking again can help without anybody's action.
[[nodiscard]] constexpr bool passes_by_itself(Fault fault) {
    return fault == Fault::unreachable || fault == Fault::busy || fault == Fault::ambiguous ||
           fault == Fault::storage;
}

template <>
inline constexpr Names<Fault, 11> names<Fault>{{
    {Fault::unreachable, "unreachable"},
    {Fault::busy, "busy"},
    {Fault::ambiguous, "ambiguous"},
    {Fault::denied, "denied"},
    {Fault::missing, "missing"},
    {Fault::conflict, "conflict"},
    {Fault::invalid, "invalid"},
    {Fault::storage, "storage"},
    {Fault::cancelled, "cancelled"},
    {Fault::deposed, "deposed"},
    {Fault::silent, "host_silent"},
}};

/// A failure that an operator may see. `text` is a clause that says what failed, without a full
/// stop at the end. It never contains a secret or a body that came over the network.
struct Error {
    Fault fault = Fault::invalid;
    std::string text;
    std::chrono::seconds retry_after{0};

    bool operator==(const Error&) const = default;
};

/// Puts `context` before the text: "cannot read the policy: permission denied".
[[nodiscard]] Error with_context(std::string_view context, Error error);

/// The meaning of an errno value, in words for administrators.
[[nodiscard]] std::string errno_text(int errno_value);

/// Describes an errno value as a `Fault::storage`, `denied` or `missing` error.
[[nodiscard]] Error errno_error(int errno_value, std::string_view what);

/// True if two texts say the same. Ignores Cloudflare's ray id, which differs in each answer, and
/// the time of the next possible call: otherwise a server that keeps failing in the same way would
/// be news each time.
[[nodiscard]] bool say_the_same(const std::string& left, const std::string& right);

/// Called by `Result::value()` on an error. Reaching it is a bug, so it ends the process. The
/// location is empty: see BOOST_DISABLE_CURRENT_LOCATION.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location&);

}  // namespace keyturn
