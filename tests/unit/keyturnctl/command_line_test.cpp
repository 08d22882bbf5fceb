#include "command_line.hpp"

#include "unit/shipped_file.hpp"
#include "wire/requests.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

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

TEST(CommandLine, ReadsWatch) {
    EXPECT_EQ(std::get<WatchCommand>(parse_command_line({"watch"})).tunnel, "");
    EXPECT_EQ(std::get<WatchCommand>(parse_command_line({"watch", "web"})).tunnel, "web");
    EXPECT_EQ(std::get<WatchCommand>(parse_command_line({"status", "--follow"})).tunnel, "");
    EXPECT_EQ(std::get<WatchCommand>(parse_command_line({"status", "web", "--follow"})).tunnel,
              "web");
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
    EXPECT_EQ(command.request.trigger, "laptop lost");
    EXPECT_TRUE(command.follow);
    EXPECT_TRUE(command.request.accept_gap);
    const auto plain = std::get<RotateCommand>(parse_command_line({"rotate", "web"}));
    EXPECT_FALSE(plain.follow);
    EXPECT_FALSE(plain.request.accept_gap);
}

TEST(CommandLine, ReadsDecisions) {
    for (const auto& [word, decision] : {std::pair{"retry", Decision::retry},
                                         {"resume", Decision::resume},
                                         {"revert", Decision::revert}}) {
        const auto command =
            std::get<DecisionCommand>(parse_command_line({word, "web", "--follow"}));
        EXPECT_EQ(command.decision, decision);
        EXPECT_EQ(command.tunnel, "web");
        EXPECT_TRUE(command.follow);
    }
    const auto pause = std::get<DecisionCommand>(parse_command_line({"pause", "web"}));
    EXPECT_EQ(pause.decision, Decision::pause);
    EXPECT_FALSE(pause.follow);
    const auto nothing_to_follow = parse_command_line({"pause", "web", "--follow"});
    EXPECT_EQ(std::get<SayCommand>(nothing_to_follow).exit_code, ExitCode::usage);
}

TEST(CommandLine, EvictingAllGoesWithACompromiseAlone) {
    const auto alone = parse_command_line({"rotate", "web", "--evict-all"});
    EXPECT_EQ(std::get<SayCommand>(alone).exit_code, ExitCode::usage);
    const auto both = std::get<RotateCommand>(
        parse_command_line({"rotate", "web", "--compromised", "--evict-all"}));
    EXPECT_EQ(both.request.kind, RotationKind::compromise);
    EXPECT_TRUE(both.request.evict_all);
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

TEST(CommandLine, ReadsFleet) {
    const auto joined = std::get<FleetCommand>(parse_command_line({"fleet", "join", "web"}));
    EXPECT_EQ(joined.command, "join");
    EXPECT_EQ(joined.tunnel, "web");
    EXPECT_EQ(joined.argument, "");
    const auto named =
        std::get<FleetCommand>(parse_command_line({"fleet", "rejoin", "web", "--host", "beta"}));
    EXPECT_EQ(named.argument, "beta");
    const auto removed =
        std::get<FleetCommand>(parse_command_line({"fleet", "decommission", "web", "beta"}));
    EXPECT_EQ(removed.argument, "beta");
    const auto accepted =
        std::get<FleetCommand>(parse_command_line({"fleet", "accept", "web", "--rev", "184"}));
    EXPECT_EQ(accepted.argument, "184");
    EXPECT_EQ(std::get<FleetCommand>(parse_command_line({"fleet", "key"})).tunnel, "");
}

TEST(CommandLine, HasEveryFleetCommandInTheHelpAndThePages) {
    std::vector<std::string> commands{"status", "key"};
    for (const FleetCommandName& one : fleet_commands) commands.emplace_back(one.name);
    const std::string help = std::get<SayCommand>(parse_command_line({"fleet", "--help"})).text;
    const std::string page = shipped::text_of("packaging/man/keyturnctl.1");
    const std::string guide = shipped::text_of("packaging/man/keyturn-fleet.7");
    for (const std::string& command : commands) {
        EXPECT_THAT(help, HasSubstr("\n  " + command + " "));
        EXPECT_THAT(page, HasSubstr("\n.It Cm fleet " + command + "\n"));
        EXPECT_THAT(guide, HasSubstr("keyturnctl fleet " + command));
    }
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

INSTANTIATE_TEST_SUITE_P(
    Lines, WrongCommandLine,
    testing::Values(
        WrongLine{{}, "commands are: status watch plan check rotate retry pause resume revert"},
        WrongLine{{"rotat"}, "unknown command rotat; did you mean rotate?"},
        WrongLine{{"x\x1b"}, "unknown command x?\nTry: keyturnctl --help"},
        WrongLine{{"--jsn"}, "unknown option --jsn\n"},
        WrongLine{{"rotate"}, "rotate needs a TUNNEL; keyturnctl status lists the tunnels"},
        WrongLine{{"rotate", "web", "--folow"}, "unknown option --folow; did you mean --follow?"},
        WrongLine{{"rotate", "web", "--reason"}, "--reason"},
        WrongLine{{"rotate", "web", "--evict-all"}, "--evict-all requires --compromised"},
        WrongLine{{"plan", "--next", "0"}, "not in range 1 to 100"},
        WrongLine{{"retry"}, "retry needs a TUNNEL"},
        WrongLine{{"fleet"}, "fleet needs a command and all of its arguments"},
        WrongLine{{"fleet", "join"}, "fleet needs a command and all of its arguments"},
        WrongLine{{"fleet", "accept", "web"}, "fleet needs a command and all of its arguments"},
        WrongLine{{"fleet", "leave"}, "unexpected argument \"leave\"; keyturnctl fleet --help"},
        WrongLine{{"retry", "web", "api"}, "unexpected argument \"api\"; retry takes one argument"},
        WrongLine{{"retry", "web", "api"}, "Try: keyturnctl retry --help"},
        WrongLine{{"status", "--json", "--follow"}, "--json excludes --follow"},
        WrongLine{{"status", "--jsn"}, "unknown option --jsn; did you mean --json?"}));

TEST(CommandLine, HelpFitsAnyTerminalAndIsThereForEachCommand) {
    for (const char* command : {"", "status", "watch", "plan", "check", "rotate", "retry", "pause",
                                "resume", "revert", "fleet"}) {
        std::vector<std::string> arguments{"help"};
        if (*command != '\0') arguments.emplace_back(command);
        const auto help = std::get<SayCommand>(parse_command_line(arguments));
        EXPECT_EQ(help.exit_code, ExitCode::ok) << command;
        EXPECT_THAT(help.text, HasSubstr("Usage: keyturnctl"));
        EXPECT_EQ(help.text.find("REQUIRED"), std::string::npos);
        const bool of_all = *command == '\0';
        EXPECT_EQ(help.text.find("Exit codes:") != std::string::npos, of_all) << command;
        std::istringstream lines(help.text);
        for (std::string line; std::getline(lines, line);) {
            EXPECT_LE(line.size(), of_all ? 80U : 84U) << line;
        }
    }
}

}  // namespace
}  // namespace keyturn
