#include "command_line.hpp"

#include "base/closest.hpp"
#include "control/tunnel_plan.hpp"
#include "text_layout.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <array>
#include <sstream>
#include <string_view>

namespace keyturn {
namespace {

constexpr const char* description =
    "Shows and steers keyturnd, which rotates the tokens of Cloudflare Tunnels.\n"
    "Reading is open to everybody. Acting is for root, and for users whom polkit\n"
    "allows org.keyturn.rotate, retry, pause, resume or revert.\n";

constexpr const char* footer =
    R"(Examples:
  keyturnctl status                              all tunnels, a line each
  keyturnctl status web --json                   one tunnel, for programs
  keyturnctl plan --next 5                       when, and why then
  keyturnctl check keyturn.yaml                  is this policy right?
  keyturnctl rotate web --reason "laptop lost" --follow
  keyturnctl retry web --follow                  after mending what held it
  keyturnctl rotate web --compromised --follow   lock out who holds the token

Exit codes:
    0  ok; with --follow: what was asked for is done
    1  error
    2  wrong command line
    3  held: a person has to decide, the reason says what
    4  refused: keyturnd did not take it on, nothing was touched
    5  keyturnd is not running
    6  status: there are findings that a person should look into
    7  reverted: the rotation went back to the old token
    8  superseded: by another rotation, or by somebody else's token
   78  check: the policy is wrong, each problem is named with its line
  130  Ctrl-C while following; the rotation goes on

More: keyturnctl COMMAND --help, keyturnctl(1), journalctl -u keyturnd)";

/// So that descriptions fit 80 columns.
constexpr std::size_t names_columns = 18;

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
        "A restart under way is ended and proven. Once Cloudflare holds a new secret, units\n"
        "on the old token cannot get a lost connection back: do not pause for long then.",
        false},
    DecisionHelp{"resume", "Resume", "End a pause", "", true},
    DecisionHelp{"revert", "Revert", "Call an open rotation off, back to the old token",
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
    CLI::App* status =
        app.add_subcommand("status", "How the tunnels are, what is under way, what comes next");
    status->add_option("TUNNEL", command.tunnel, "Only this one, in detail")->type_name("");
    status->add_flag("--json", command.json, "Everything, for programs; keys are stable");
    status->footer(
        "Exits with 3 when a tunnel that is shown is held, else with 7 or 8 when its\n"
        "last rotation was reverted or superseded, else with 6 when it has findings.");
    return status;
}

CLI::App* add_plan(CLI::App& app, PlanCommand& command) {
    CLI::App* plan =
        app.add_subcommand("plan", "When tunnels are rotated by themselves, and why then");
    plan->add_option("TUNNEL", command.tunnel, "Only this one")->type_name("");
    plan->add_option("--next", command.next, "So many rotations of each tunnel; default: 3")
        ->check(CLI::Range(1U, planned_starts_max).description(""))
        ->type_name("N");
    plan->add_flag("--json", command.json, "For programs; keys are stable");
    plan->footer(
        "Times are in the time zone of the policy. An end is what the last rotations took,\n"
        "or what the policy makes one wait where there was none yet.");
    return plan;
}

CLI::App* add_check(CLI::App& app, CheckCommand& command) {
    CLI::App* check =
        app.add_subcommand("check", "What a policy says, or all that is wrong with it");
    check->add_option("FILE", command.file, "The policy; default: keyturnd's own")->type_name("");
    check->footer("Needs no daemon. Exits with 78 when the policy is wrong.");
    return check;
}

CLI::App* add_rotate(CLI::App& app, RotateCommand& command) {
    CLI::App* rotate = app.add_subcommand("rotate", "Rotate a tunnel's token now");
    rotate->add_option("TUNNEL", command.tunnel, "As the policy names it")
        ->required()
        ->type_name("");
    rotate->add_option("--reason", command.reason, "Why, for journal and history: one line")
        ->type_name("TEXT");
    rotate->add_flag("--accept-gap", command.accept_gap,
                     "Go on although fewer than min_available replicas serve\n"
                     "for a while");
    rotate->add_flag("--compromised", command.compromised,
                     "The token is in wrong hands: at once, over a pause or an\n"
                     "open rotation; drop who else is attached, then restart\n"
                     "one unit after the other without soaking");
    rotate->add_flag("--evict-all", command.evict_all,
                     "With --compromised: drop every connection, our own too;\n"
                     "the tunnel is down until the first unit is back");
    rotate->add_flag("--follow", command.follow, "Show the progress until the rotation ends");
    rotate->footer(
        "A new secret goes to Cloudflare, the token to the units, and these are restarted\n"
        "batch by batch. Without --follow it returns as soon as keyturnd has accepted that.\n"
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

std::vector<std::string_view> names_of_commands() {
    std::vector<std::string_view> names{"status", "plan", "check", "rotate"};
    for (const DecisionHelp& decision : decisions) names.emplace_back(decision.name);
    return names;
}

std::vector<std::string> names_of_options(const CLI::App& command) {
    std::vector<std::string> names;
    for (const CLI::Option* option : command.get_options()) {
        if (!option->get_positional()) names.push_back("--" + option->get_lnames().front());
    }
    return names;
}

std::string suggested(std::string_view word, const std::vector<std::string_view>& candidates) {
    const std::string_view near = closest(word, candidates);
    return near.empty() ? "" : "; did you mean " + std::string(near) + "?";
}

/// Of a word that nothing on the command line can stand for.
std::string unexpected(const CLI::App& command, const std::string& word, bool of_keyturnctl) {
    if (word.starts_with("-")) {
        const std::vector<std::string> options = names_of_options(command);
        return "there is no option " + word + suggested(word, {options.begin(), options.end()});
    }
    if (of_keyturnctl) return "there is no command " + word + suggested(word, names_of_commands());
    return "what is \"" + word + "\" for? " + command.get_name() + " takes one name alone";
}

std::string complaint(const CLI::App& app, const CLI::App& command, const CLI::ParseError& error) {
    const std::vector<std::string> extra = app.remaining(true);
    if (!extra.empty()) return printable(unexpected(command, extra.front(), &command == &app));
    if (error.get_name() == "RequiredError") {
        return command.get_name() + " needs a TUNNEL; keyturnctl status lists them";
    }
    return printable(error.what());
}

SayCommand usage(const std::string& text, const CLI::App* command = nullptr) {
    const std::string name = command == nullptr ? "" : command->get_name() + " ";
    return {"keyturnctl: " + text + "\nTry: keyturnctl " + name + "--help\n", ExitCode::usage};
}

SayCommand say(const CLI::App& app, const CLI::ParseError& error) {
    std::ostringstream out;
    std::ostringstream ignored;
    const bool asked_for = app.exit(error, out, ignored) == 0;
    if (asked_for) return {out.str(), ExitCode::ok};
    const std::vector<CLI::App*> parsed = const_cast<CLI::App&>(app).get_subcommands();
    const CLI::App* command = parsed.empty() ? nullptr : parsed.front();
    return usage(complaint(app, command != nullptr ? *command : app, error), command);
}

/// "help rotate" is "rotate --help".
std::vector<std::string> without_help_command(std::vector<std::string> arguments) {
    if (arguments.empty() || arguments.front() != "help") return arguments;
    arguments.erase(arguments.begin());
    arguments.emplace_back("--help");
    return arguments;
}

void set_up_help(CLI::App& app) {
    app.set_version_flag("--version", "keyturnctl " KEYTURN_VERSION, "Show the version");
    app.set_help_flag("-h,--help", "Show this help");
    app.footer(footer);
    const auto formatter = app.get_formatter();
    formatter->column_width(names_columns);
    formatter->label("REQUIRED", "");
    formatter->label("SUBCOMMAND", "COMMAND");
    formatter->label("Positionals", "Words");
}

}  // namespace

Command parse_command_line(const std::vector<std::string>& arguments) {
    CLI::App app(description, "keyturnctl");
    Options options;
    set_up_help(app);
    const CLI::App* status = add_status(app, options.status);
    const CLI::App* plan = add_plan(app, options.plan);
    const CLI::App* check = add_check(app, options.check);
    const CLI::App* rotate = add_rotate(app, options.rotate);
    std::array<const CLI::App*, decisions.size()> decided{};
    for (std::size_t i = 0; i < decisions.size(); ++i) {
        decided[i] = add_decision(app, decisions[i], options.decided[i]);
    }

    std::vector<std::string> reversed = without_help_command(arguments);
    std::reverse(reversed.begin(), reversed.end());  // As CLI11 wants it.
    try {
        app.parse(std::move(reversed));
    } catch (const CLI::ParseError& error) {
        return say(app, error);
    }
    if (status->parsed()) return options.status;
    if (plan->parsed()) return options.plan;
    if (check->parsed()) return options.check;
    if (rotate->parsed() && options.rotate.evict_all && !options.rotate.compromised) {
        return usage("--evict-all goes with --compromised alone", rotate);
    }
    if (rotate->parsed()) return options.rotate;
    for (std::size_t i = 0; i < decisions.size(); ++i) {
        if (decided[i]->parsed()) return options.decided[i];
    }
    // Not left to CLI11, which would say the same to a command that does not exist.
    std::string names;
    for (const std::string_view name : names_of_commands()) names += ' ' + std::string(name);
    return usage("there is no command; commands are:" + names);
}

}  // namespace keyturn
