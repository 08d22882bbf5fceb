#include "command_line.hpp"

#include "control/tunnel_plan.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <array>
#include <sstream>

namespace keyturn {
namespace {

constexpr const char* description =
    "Shows and steers keyturnd, which rotates the tokens of Cloudflare Tunnels.\n"
    "Reading is open to everybody. Acting is for root, and for users whom polkit allows\n"
    "org.keyturn.rotate, retry, pause, resume or revert.\n";

constexpr const char* footer =
    R"(Examples:
  keyturnctl status                              all tunnels, a line each
  keyturnctl status web --json                   one tunnel, for programs
  keyturnctl plan --next 5                       when each tunnel is rotated, and why then
  keyturnctl check keyturn.yaml                  what a policy says, or what is wrong with it
  keyturnctl rotate web --reason "laptop lost" --follow
  keyturnctl retry web --follow                  after mending what it is held for
  keyturnctl rotate web --compromised --follow   the token is in wrong hands: lock them out

Exit codes:
    0  ok; with --follow: what was asked for is done
    1  error
    2  wrong command line
    3  held: a person has to decide, the reason says what
    4  refused: keyturnd did not take it on, nothing was touched
    5  keyturnd is not running
    6  status: nothing is under way, but there are findings that a person should look into
    7  reverted: the last rotation, or the one that was followed, went back to the old token
    8  superseded: another rotation took its place, or somebody else's token was taken over
   78  check: the policy is wrong, each problem is named with its line
  130  Ctrl-C while following; the rotation goes on

More: keyturnctl COMMAND --help, keyturnctl(1), journalctl -u keyturnd)";

/// The commands that name a tunnel and nothing else.
struct DecisionHelp {
    const char* name;
    const char* member;
    const char* description;
    const char* footer;
    bool follows;
};

constexpr std::array decisions{
    DecisionHelp{"retry", "Retry", "Let a rotation that is held go on from where it stopped",
                 "The secret stays the same: no retry makes a second one.", true},
    DecisionHelp{
        "pause", "Pause", "No rotation and no further restart, until resume",
        "A restart under way is ended and proven. Once Cloudflare holds a new secret, units "
        "on\nthe old token cannot get a lost connection back: do not pause for long then.",
        false},
    DecisionHelp{"resume", "Resume", "End a pause", "", true},
    DecisionHelp{"revert", "Revert", "Call an open rotation off and go back to the old token",
                 "Units that were restarted are restarted once more; before the change at "
                 "Cloudflare\nnothing is touched.",
                 true},
};

struct Options {
    StatusCommand status;
    PlanCommand plan;
    CheckCommand check;
    RotateCommand rotate;
    std::array<DecisionCommand, decisions.size()> decided;
};

CLI::App* add_status(CLI::App& app, StatusCommand& command) {
    CLI::App* status = app.add_subcommand(
        "status", "How the tunnels are: state, rotation under way, last and next rotation");
    status->add_option("TUNNEL", command.tunnel, "Only this one, in detail")->type_name("");
    status->add_flag("--json", command.json, "Everything, for programs; keys are stable");
    status->footer(
        "Exits with 3 when a tunnel that is shown is held, else with 7 or 8 when its last "
        "rotation\n"
        "was reverted or superseded, else with 6 when it has findings.");
    return status;
}

CLI::App* add_plan(CLI::App& app, PlanCommand& command) {
    CLI::App* plan = app.add_subcommand(
        "plan", "When tunnels are rotated by themselves, why then, and in which steps");
    plan->add_option("TUNNEL", command.tunnel, "Only this one")->type_name("");
    plan->add_option("--next", command.next, "So many rotations of each tunnel")
        ->check(CLI::Range(1U, planned_starts_max))
        ->type_name("N")
        ->capture_default_str();
    plan->add_flag("--json", command.json, "For programs; keys are stable");
    plan->footer("Ends are as expected when nothing goes wrong.");
    return plan;
}

CLI::App* add_check(CLI::App& app, CheckCommand& command) {
    CLI::App* check = app.add_subcommand(
        "check", "What a policy says, or everything that is wrong with it; needs no daemon");
    check->add_option("FILE", command.file, "The policy; default: keyturnd's own")->type_name("");
    return check;
}

CLI::App* add_rotate(CLI::App& app, RotateCommand& command) {
    CLI::App* rotate = app.add_subcommand(
        "rotate", "Rotate a tunnel's token now: new secret, deliver, restart batch by batch");
    rotate->add_option("TUNNEL", command.tunnel, "As the policy names it")
        ->required()
        ->type_name("");
    rotate->add_option("--reason", command.reason, "Why, for journal and history: one line")
        ->type_name("TEXT");
    rotate->add_flag("--accept-gap", command.accept_gap,
                     "Go on although fewer than min_available replicas will serve for a while");
    CLI::Option* compromised = rotate->add_flag(
        "--compromised", command.compromised,
        "The token is in wrong hands: at once, over a pause or an open rotation; drop who else\n"
        "is attached, then restart one unit after the other without soaking");
    rotate
        ->add_flag("--evict-all", command.evict_all,
                   "With --compromised: drop every connection, our own too; the tunnel is down\n"
                   "until the first unit is back")
        ->needs(compromised);
    rotate->add_flag("--follow", command.follow, "Show the progress until the rotation ends");
    rotate->footer(
        "Without --follow it returns as soon as keyturnd has accepted the rotation.\n"
        "Ctrl-C ends following, never the rotation.");
    return rotate;
}

CLI::App* add_decision(CLI::App& app, const DecisionHelp& help, DecisionCommand& command) {
    CLI::App* decision = app.add_subcommand(help.name, help.description);
    command.member = help.member;
    decision->add_option("TUNNEL", command.tunnel, "As the policy names it")
        ->required()
        ->type_name("");
    if (help.follows) {
        decision->add_flag("--follow", command.follow, "Show the progress until the rotation ends");
    }
    decision->footer(help.footer);
    return decision;
}

SayCommand say(const CLI::App& app, const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream problem;
    const bool asked_for = app.exit(error, out, problem) == 0;
    if (asked_for) return {out.str(), ExitCode::ok};
    return {problem.str(), ExitCode::usage};
}

}  // namespace

Command parse_command_line(const std::vector<std::string>& arguments) {
    CLI::App app(description, "keyturnctl");
    Options options;
    app.set_version_flag("--version", "keyturnctl " KEYTURN_VERSION, "Show the version");
    app.set_help_flag("-h,--help", "Show this help");
    app.footer(footer);
    app.failure_message([](const CLI::App* failed, const CLI::Error& error) {
        return std::string("keyturnctl: ") + error.what() + "\nTry: " +
               (failed->get_parent() == nullptr ? "keyturnctl"
                                                : "keyturnctl " + failed->get_name()) +
               " --help\n";
    });
    const CLI::App* status = add_status(app, options.status);
    const CLI::App* plan = add_plan(app, options.plan);
    const CLI::App* check = add_check(app, options.check);
    const CLI::App* rotate = add_rotate(app, options.rotate);
    std::array<const CLI::App*, decisions.size()> decided{};
    for (std::size_t i = 0; i < decisions.size(); ++i) {
        decided[i] = add_decision(app, decisions[i], options.decided[i]);
    }

    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // As CLI11 wants it.
    try {
        app.parse(std::move(reversed));
    } catch (const CLI::ParseError& error) {
        return say(app, error);
    }
    if (status->parsed()) return options.status;
    if (plan->parsed()) return options.plan;
    if (check->parsed()) return options.check;
    if (rotate->parsed()) return options.rotate;
    for (std::size_t i = 0; i < decisions.size(); ++i) {
        if (decided[i]->parsed()) return options.decided[i];
    }
    // Not left to CLI11, which would say the same to a command that does not exist.
    return SayCommand{"keyturnctl: there is no command\nTry: keyturnctl --help\n", ExitCode::usage};
}

}  // namespace keyturn
