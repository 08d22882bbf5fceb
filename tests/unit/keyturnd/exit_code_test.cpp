#include "keyturnd/exit_code.hpp"

#include "unit/shipped_file.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

TEST(ExitCodeOfTheDaemon, IsExplainedInTheManualPage) {
    const std::string header = shipped::text_of("daemon/keyturnd/exit_code.hpp");
    const auto numbers = shipped::found_in(header, R"(exit_\w+ = (\d+);)");
    ASSERT_EQ(numbers.size(), 5U);
    const std::string page = shipped::text_of("packaging/man/keyturnd.8");
    EXPECT_EQ(shipped::found_in(shipped::section_of(page, "EXIT STATUS"), R"(^\.It (\d+)$)"),
              numbers);
}

TEST(ExitCodeOfTheDaemon, ThatNeedsAPersonIsNotAnsweredByARestart) {
    const std::string unit = shipped::text_of("systemd/keyturnd.service");
    EXPECT_EQ(shipped::found_in(unit, "^RestartPreventExitStatus=(.*)"),
              std::vector{fmt::format("{} {}", exit_usage, exit_policy)});
}

}  // namespace
}  // namespace keyturn
