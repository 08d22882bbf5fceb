#include "shared_object/condition_proof.hpp"

#include "base/ascii.hpp"
#include "clock/clock.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {

namespace {

using namespace std::chrono_literals;

constexpr int tries_max = 6;
constexpr std::size_t scratch_name_size_max = 64;

/// Swaps, and waits as long as the store wants between two writes.
Task<Result<ObjectVersion>> swap_in_time(SharedObject& object, Clock& clock, ObjectVersion from,
                                         std::string text) {
    for (int tries = 1;; ++tries) {
        auto swapped = co_await object.swap(from, text);
        const bool later = !swapped && swapped.error().fault == Fault::busy && tries < tries_max;
        if (!later) co_return swapped;
        const std::chrono::seconds wait = std::max(swapped.error().retry_after, 1s);
        co_await clock.sleep_until(clock.boot_now() + wait);
    }
}

/// Nothing may have happened: the store has to say that somebody else was faster.
Result<void> expect_refusal(const Result<ObjectVersion>& swapped, std::string_view what) {
    if (!swapped && swapped.error().fault == Fault::conflict) return {};
    if (!swapped) return swapped.error();
    return Error{Fault::invalid,
                 fmt::format("the store {}, so it ignores conditions and hosts would overwrite "
                             "each other; use another store",
                             what)};
}

}  // namespace

Task<Result<void>> prove_conditions(SharedObject& scratch, Clock& clock) {
    const auto first = co_await swap_in_time(scratch, clock, ObjectVersion(), "one");
    if (!first) co_return with_context("cannot create an object", first.error());
    const auto again = co_await swap_in_time(scratch, clock, ObjectVersion(), "again");
    const auto created_once = expect_refusal(again, "created an object that existed");
    if (!created_once) co_return created_once;
    const auto second = co_await swap_in_time(scratch, clock, *first, "two");
    const bool refused = !second && second.error().fault == Fault::conflict;
    if (refused) {
        co_return Error{Fault::invalid,
                        "the store does not replace the present version of an object; use another "
                        "store"};
    }
    if (!second) co_return with_context("cannot replace an object", second.error());
    const auto stale = co_await swap_in_time(scratch, clock, *first, "stale");
    const auto kept = expect_refusal(stale, "replaced a version that was no more");
    if (!kept) co_return kept;
    const auto now = co_await scratch.read(ObjectVersion());
    if (!now) co_return with_context("cannot read an object", now.error());
    if (now->text != "two" || now->version != *second) {
        co_return Error{Fault::invalid,
                        "the store does not return what was written last; use another store"};
    }
    co_return Result<void>();
}

Result<void> check_size_of_object(std::string_view text) {
    if (text.size() < object_bytes_max) return {};
    return Error{Fault::invalid,
                 fmt::format("the shared object would have {} bytes, and {} is too large",
                             text.size(), object_bytes_max)};
}

Result<void> check_scratch_name(std::string_view scratch) {
    const auto allowed = [](char c) { return is_alphanumeric(c) || c == '-'; };
    if (!scratch.empty() && scratch.size() <= scratch_name_size_max &&
        std::ranges::all_of(scratch, allowed)) {
        return {};
    }
    return Error{Fault::invalid, "the name of a scratch object may have letters, digits and `-`"};
}

}  // namespace keyturn
