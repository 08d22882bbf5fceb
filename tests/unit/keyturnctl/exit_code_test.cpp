#include "exit_code.hpp"

#include "command_line.hpp"
#include "samples.hpp"
#include "unit/shipped_file.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

TunnelStatus ended_as(const char* outcome) {
    TunnelStatus tunnel = samples::idle();
    tunnel.last_outcome = outcome;
    return tunnel;
}

TunnelStatus with_findings(TunnelStatus tunnel) {
    tunnel.findings = {"the API token is refused"};
    return tunnel;
}

TEST(ExitCode, OfTunnelsThatNeedNobodyIsOk) {
    EXPECT_EQ(exit_code_of(std::vector<TunnelStatus>{}), ExitCode::ok);
    EXPECT_EQ(exit_code_of({samples::idle(), samples::soaking()}), ExitCode::ok);
    EXPECT_EQ(exit_code_of({ended_as("adopted"), ended_as("released")}), ExitCode::ok);
    EXPECT_EQ(exit_code_of_outcome("adopted"), ExitCode::ok);
    EXPECT_EQ(exit_code_of_outcome("released"), ExitCode::ok);
}

TEST(ExitCode, HasANumberForEachThatNeedsAPerson) {
    EXPECT_EQ(static_cast<int>(exit_code_of({samples::held()})), 3);
    EXPECT_EQ(static_cast<int>(exit_code_of({with_findings(samples::idle())})), 6);
    TunnelStatus noted = samples::idle();
    noted.notes = {"token unknown"};
    EXPECT_EQ(exit_code_of({noted}), ExitCode::ok) << "no fault";
    EXPECT_EQ(static_cast<int>(exit_code_of({ended_as("reverted")})), 7);
    EXPECT_EQ(static_cast<int>(exit_code_of({ended_as("taken over")})), 8);
    EXPECT_EQ(static_cast<int>(exit_code_of({ended_as("superseded")})), 8);
}

TEST(ExitCode, IsThatOfTheTunnelThatNeedsAPersonMost) {
    const TunnelStatus reverted = with_findings(ended_as("reverted"));
    const TunnelStatus taken_over = ended_as("taken over");
    const TunnelStatus found = with_findings(samples::idle());
    EXPECT_EQ(exit_code_of({samples::idle(), found}), ExitCode::findings);
    EXPECT_EQ(exit_code_of({taken_over, found}), ExitCode::superseded);
    EXPECT_EQ(exit_code_of({found, reverted, taken_over}), ExitCode::reverted);
    EXPECT_EQ(exit_code_of({samples::held(), reverted}), ExitCode::held);
}

TEST(ExitCode, OfAnOpenRotationSaysNothingOfTheLastOne) {
    TunnelStatus open = with_findings(samples::soaking());
    open.last_outcome = "reverted";
    EXPECT_EQ(exit_code_of({open}), ExitCode::ok);
}

TEST(ExitCode, IsExplainedForEachNumberWhereverTheyAreListed) {
    using Numbers = std::vector<std::string>;
    const std::string header = shipped::text_of("daemon/keyturnctl/exit_code.hpp");
    Numbers numbers = shipped::found_in(header, R"(^    \w+ = (\d+),)");
    ASSERT_EQ(numbers.size(), 10U);
    // `keyturnctl check` becomes keyturnd.
    const std::string keyturnd = shipped::text_of("daemon/keyturnd/exit_code.hpp");
    const Numbers of_check = shipped::found_in(keyturnd, R"(exit_policy = (\d+);)");
    ASSERT_EQ(of_check.size(), 1U);
    numbers.insert(numbers.end() - 1, of_check[0]);

    const std::string page = shipped::text_of("packaging/man/keyturnctl.1");
    EXPECT_EQ(shipped::found_in(shipped::section_of(page, "EXIT STATUS"), R"(^\.It (\d+)$)"),
              numbers);
    const std::string help = std::get<SayCommand>(parse_command_line({"--help"})).text;
    EXPECT_EQ(shipped::found_in(help.substr(help.find("Exit codes:")), R"(^ +(\d+)  )"), numbers);
}

}  // namespace
}  // namespace keyturn
