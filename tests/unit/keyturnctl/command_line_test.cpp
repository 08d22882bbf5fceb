#include "command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keyturn {
namespace {

using testing::HasSubstr;

TEST(CommandLine, ReadsStatus) {
    const auto all = std::get<StatusCommand>(parse_command_line({"status"}));
    EXPECT_EQ(all.tunnel, "");
    EXPECT_FALSE(all.json);
    const auto one = std::get<StatusCommand>(parse_command_line({"status", "web", "--json"}));
    EXPECT_EQ(one.tunnel, "web");
    EXPECT_TRUE(one.json);
}

TEST(CommandLine, ReadsPlan) {
    const auto all = std::get<PlanCommand>(parse_command_line({"plan"}));
    EXPECT_EQ(all.tunnel, "");
    EXPECT_EQ(all.next, 3U);
    EXPECT_FALSE(all.json);
    const auto one =
        std::get<PlanCommand>(parse_command_line({"plan", "web", "--next", "12", "--json"}));
    EXPECT_EQ(one.tunnel, "web");
    EXPECT_EQ(one.next, 12U);
    EXPECT_TRUE(one.json);
    for (const char* const wrong : {"0", "101", "-1", "many"}) {
        const auto said = std::get<SayCommand>(parse_command_line({"plan", "--next", wrong}));
        EXPECT_EQ(said.exit_code, ExitCode::usage) << wrong;
    }
}

TEST(CommandLine, ReadsCheck) {
    EXPECT_EQ(std::get<CheckCommand>(parse_command_line({"check"})).file, "");
    EXPECT_EQ(std::get<CheckCommand>(parse_command_line({"check", "a.yaml"})).file, "a.yaml");
}

TEST(CommandLine, ReadsRotate) {
    const auto command = std::get<RotateCommand>(parse_command_line(
        {"rotate", "--reason", "laptop lost", "web", "--follow", "--accept-gap"}));
    EXPECT_EQ(command.tunnel, "web");
    EXPECT_EQ(command.reason, "laptop lost");
    EXPECT_TRUE(command.follow);
    EXPECT_TRUE(command.accept_gap);
    const auto plain = std::get<RotateCommand>(parse_command_line({"rotate", "web"}));
    EXPECT_FALSE(plain.follow);
    EXPECT_FALSE(plain.accept_gap);
}

TEST(CommandLine, ReadsDecisions) {
    for (const auto& [word, member] :
         {std::pair{"retry", "Retry"}, {"resume", "Resume"}, {"revert", "Revert"}}) {
        const auto command =
            std::get<DecisionCommand>(parse_command_line({word, "web", "--follow"}));
        EXPECT_EQ(command.member, member);
        EXPECT_EQ(command.tunnel, "web");
        EXPECT_TRUE(command.follow);
    }
    const auto pause = std::get<DecisionCommand>(parse_command_line({"pause", "web"}));
    EXPECT_EQ(pause.member, "Pause");
    EXPECT_FALSE(pause.follow);
    const auto nothing_to_follow = parse_command_line({"pause", "web", "--follow"});
    EXPECT_EQ(std::get<SayCommand>(nothing_to_follow).exit_code, ExitCode::usage);
}

TEST(CommandLine, EvictingAllGoesWithACompromiseAlone) {
    const auto alone = parse_command_line({"rotate", "web", "--evict-all"});
    EXPECT_EQ(std::get<SayCommand>(alone).exit_code, ExitCode::usage);
    const auto both = std::get<RotateCommand>(
        parse_command_line({"rotate", "web", "--compromised", "--evict-all"}));
    EXPECT_TRUE(both.compromised);
    EXPECT_TRUE(both.evict_all);
}

TEST(CommandLine, HelpIsNoErrorAndTellsTheExitCodes) {
    const auto help = std::get<SayCommand>(parse_command_line({"--help"}));
    EXPECT_EQ(help.exit_code, ExitCode::ok);
    EXPECT_THAT(help.text, HasSubstr("    3  held"));
    EXPECT_THAT(help.text, HasSubstr("rotate web --reason"));
    const auto of_rotate = std::get<SayCommand>(parse_command_line({"rotate", "--help"}));
    EXPECT_EQ(of_rotate.exit_code, ExitCode::ok);
    EXPECT_THAT(of_rotate.text, HasSubstr("--accept-gap"));
}

TEST(CommandLine, TellsTheVersion) {
    const auto version = std::get<SayCommand>(parse_command_line({"--version"}));
    EXPECT_EQ(version.exit_code, ExitCode::ok);
    EXPECT_EQ(version.text, "keyturnctl " KEYTURN_VERSION "\n");
}

struct WrongLine {
    std::vector<std::string> arguments;
    std::string complaint;
};

class WrongCommandLine : public testing::TestWithParam<WrongLine> {};

TEST_P(WrongCommandLine, IsAUsageErrorThatNamesTheTrouble) {
    const auto said = std::get<SayCommand>(parse_command_line(GetParam().arguments));
    EXPECT_EQ(said.exit_code, ExitCode::usage);
    EXPECT_THAT(said.text, HasSubstr(GetParam().complaint));
    EXPECT_THAT(said.text, HasSubstr("--help"));
}

INSTANTIATE_TEST_SUITE_P(Lines, WrongCommandLine,
                         testing::Values(WrongLine{{}, "there is no command"},
                                         WrongLine{{"rotat"}, "rotat"},
                                         WrongLine{{"rotate"}, "TUNNEL"},
                                         WrongLine{{"rotate", "web", "--reason"}, "--reason"},
                                         WrongLine{{"retry"}, "TUNNEL"},
                                         WrongLine{{"retry", "web", "api"}, "api"},
                                         WrongLine{{"status", "--jsn"}, "--jsn"}));

}  // namespace
}  // namespace keyturn
