#include "exit_code.hpp"

#include "samples.hpp"

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

}  // namespace
}  // namespace keyturn
