#include "setup/command.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

using namespace std::chrono_literals;

TEST(Command, KeepsTheBeginningOfALongOutput) {
    const auto done =
        run_command({"sh", "-c", "printf 12345; printf 67890; exit 3"}, Secret(), 30s, 7);
    ASSERT_TRUE(done) << done.error().text;
    EXPECT_EQ(done->output.reveal(), "1234567");
    EXPECT_EQ(done->exit_code, 3);
}

TEST(Command, KeepsMoreThanAPipeHolds) {
    const auto done =
        run_command({"head", "--bytes=3000000", "/dev/zero"}, Secret(), 30s, 4'000'000);
    ASSERT_TRUE(done) << done.error().text;
    EXPECT_EQ(done->output.size(), 3'000'000U);
    const auto short_one = run_command({"head", "--bytes=3000000", "/dev/zero"}, Secret(), 30s);
    ASSERT_TRUE(short_one) << short_one.error().text;
    EXPECT_EQ(short_one->output.size(), command_output_max);
}

TEST(Command, PassesItsInputOn) {
    const auto done = run_or_fail({"cat"}, Secret::copy_of("a secret"));
    ASSERT_TRUE(done) << done.error().text;
    EXPECT_EQ(done->reveal(), "a secret");
    EXPECT_FALSE(run_or_fail({"false"}));
}

}  // namespace
}  // namespace keyturn
