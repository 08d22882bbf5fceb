#include "base/error.hpp"

#include "base/result.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace keyturn {
namespace {

TEST(Error, ClassifiesErrnoWhereItIsBorn) {
    EXPECT_EQ(errno_error(EACCES, "open").fault, Fault::denied);
    EXPECT_EQ(errno_error(ENOENT, "open").fault, Fault::missing);
    EXPECT_EQ(errno_error(ENOSPC, "write").fault, Fault::storage);
    EXPECT_EQ(errno_error(ELOOP, "open").fault, Fault::invalid);
    EXPECT_EQ(errno_error(ENOSPC, "write").text, "write: No space left on device");
}

TEST(Error, PutsTheContextInFront) {
    const Error error = with_context("cannot stage", Error{Fault::storage, "disk full", {}});
    EXPECT_EQ(error.text, "cannot stage: disk full");
    EXPECT_EQ(error.fault, Fault::storage);
}

TEST(Error, KnowsWhichFaultsPassByThemselves) {
    EXPECT_TRUE(passes_by_itself(Fault::unreachable));
    EXPECT_TRUE(passes_by_itself(Fault::storage));
    EXPECT_FALSE(passes_by_itself(Fault::denied));
    EXPECT_FALSE(passes_by_itself(Fault::conflict));
}

TEST(Error, SaysTheSameWhateverChangesWithEachAnswer) {
    EXPECT_TRUE(
        say_the_same("HTTP 429 (cf-ray a-DFW): wait; the next call is possible at 02:30:00 UTC",
                     "HTTP 429 (cf-ray b-DFW): wait; the next call is possible at 02:31:00 UTC"));
    EXPECT_FALSE(say_the_same("HTTP 429: wait; the next call is possible at 02:30:00 UTC",
                              "HTTP 503: wait; the next call is possible at 02:30:00 UTC"));
}

TEST(ErrorDeathTest, ValueOfAFailureIsABug) {
    const Result<int> failed = Error{Fault::missing, "no such tunnel", {}};
    EXPECT_DEATH(static_cast<void>(failed.value()), "no such tunnel");
}

}  // namespace
}  // namespace keyturn
