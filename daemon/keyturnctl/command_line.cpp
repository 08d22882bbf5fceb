#include "command_line.hpp"

#include "base/closest.hpp"
#include "text_layout.hpp"
#include "wire/tunnel_plan.hpp"

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
    "Show and control keyturnd, which rotates the tokens of Cloudflare Tunnels.\n"
    "Every user can run status, watch, plan and check. setup, adopt, doctor and\n"
    "surge are for root. The others are for root and for users whom polkit allows\n"
    "org.keyturn.rotate, retry, pause, resume, revert or fleet.\n";

constexpr const char* footer =
    R"(Examples:
  keyturnctl setup                               bring in this host's units
  keyturnctl doctor                              find what is wrong on the host
  keyturnctl status                              show all tunnels
  keyturnctl status web --json                   show one tunnel, for a program
  keyturnctl watch                               show rotations live
  keyturnctl plan --next 5                       show the next five rotations
  keyturnctl check keyturn.yaml                  check this policy
  keyturnctl rotate web --reason "laptop lost" --follow
  keyturnctl retry web --follow                  continue when you have fixed it
  keyturnctl rotate web --compromised --follow   lock out everybody else

Exit codes:
    0  success; with --follow: the rotation ended as requested
    1  error
    2  wrong command line
    3  held: the rotation needs a decision, and the output shows why
    4  refused: keyturnd did not accept the command and touched nothing
    5  keyturnd is not running
    6  status, doctor: there are findings that need attention
    7  reverted: the rotation went back to the old token
    8  superseded: another rotation or somebody else's token replaced it
   78  check: the policy has errors, and the output shows each with its line
  130  Ctrl-C while following or watching; the rotation continues

More: keyturnctl COMMAND --help, keyturnctl(1), journalctl -u keyturnd)";

/// The width of option names in the help, so that descriptions fit 80 columns.
constexpr std::size_t names_columns = 18;

/// The commands whose only argument is a tunnel.
struct DecisionHelp {
    const char* name;
    Decision decision;
    const char* description;
    const char* footer;
    bool follows;
};

constexpr std::array decisions{
    DecisionHelp{"retry", Decision::retry, "Continue a rotation that is held",
                 "keyturnd uses the same secret. A retry never makes a second one.", true},
    DecisionHelp{"pause", Decision::pause,
                 "Start no rotation and restart no further unit until resume",
                 "keyturnd completes and verifies a restart that has already begun. If Cloudflare\n"
                 "already has a new secret, units with the old token cannot restore a lost\n"
                 "connection: do not leave the tunnel paused for long then.",
                 false},
    DecisionHelp{"resume", Decision::resume, "End a pause", "", true},
    DecisionHelp{"revert", Decision::revert, "Cancel an open rotation and go back to the old token",
                 "keyturnd restarts every unit again that it had restarted. Before the change at\n"
                 "Cloudflare, it touches nothing.",
                 true},
};

/// The commands that another program performs, which also has their help.
struct ForwardedHelp {
    const char* name;
    const char* description;
};

constexpr std::array forwarded{
    ForwardedHelp{"setup", "Bring the cloudflared units of this host under keyturn"},
    ForwardedHelp{"adopt", "Bring in single units, or take units out again (--undo)"},
    ForwardedHelp{"doctor", "Check this host, and show how to fix what is wrong"},
    ForwardedHelp{"surge", "Write the unit of a tunnel's extra connector"},
};

bool is_forwarded(std::string_view name) {
    return std::any_of(forwarded.begin(), forwarded.end(),
                       [&](const ForwardedHelp& help) { return help.name == name; });
}

struct Options {
    StatusCommand status;
    bool follow_status = false;
    WatchCommand watch;
    PlanCommand plan;
    CheckCommand check;
    RotateCommand rotate;
    std::array<DecisionCommand, decisions.size()> decided;
    FleetCommand fleet;
};

CLI::App* add_status(CLI::App& app, StatusCommand& command, bool& follow) {
    CLI::App* status =
        app.add_subcommand("status", "Show the tunnels, what keyturnd does, and what is next");
    status->add_option("TUNNEL", command.tunnel, "Show only this tunnel, in detail")->type_name("");
    CLI::Option* json =
        status->add_flag("--json", command.json, "Print JSON for programs; its keys are stable");
    status->add_flag("--follow", follow, "Show it live, like keyturnctl watch")->excludes(json);
    status->footer(
        "Exits with 3 if a tunnel is held, else with 7 or 8 if its last rotation was\n"
        "reverted or superseded, else with 6 if it has findings, else with 0.");
    return status;
}

CLI::App* add_watch(CLI::App& app, WatchCommand& command) {
    CLI::App* watch =
        app.add_subcommand("watch", "Show rotations live, whoever started them, until Ctrl-C");
    watch->add_option("TUNNEL", command.tunnel, "Show only this tunnel")->type_name("");
    watch->footer(
        "Shows each open rotation with its batches and units, and the idle tunnels below. If\n"
        "no rotation is open, waits for the next one. In a pipe, prints one line for each\n"
        "event. Ctrl-C ends only the display.");
    return watch;
}

CLI::App* add_plan(CLI::App& app, PlanCommand& command) {
    CLI::App* plan =
        app.add_subcommand("plan", "Show when tunnels are rotated next, and why at that time");
    plan->add_option("TUNNEL", command.tunnel, "Show only this tunnel")->type_name("");
    plan->add_option("--next", command.next, "How many rotations of each tunnel; default: 3")
        ->check(CLI::Range(1U, planned_starts_max).description(""))
        ->type_name("N");
    plan->add_flag("--json", command.json, "Print JSON for programs; its keys are stable");
    plan->footer(
        "Times are in the time zone of the policy. The end is an estimate from the last\n"
        "rotations, or from the waits in the policy if there was no rotation yet.");
    return plan;
}

CLI::App* add_check(CLI::App& app, CheckCommand& command) {
    CLI::App* check = app.add_subcommand("check", "Show what a policy means, or every error in it");
    check->add_option("FILE", command.file, "The policy; default: the policy of keyturnd")
        ->type_name("");
    check->footer("Does not need a running keyturnd. Exits with 78 if the policy has errors.");
    return check;
}

CLI::App* add_rotate(CLI::App& app, RotateCommand& command) {
    CLI::App* rotate = app.add_subcommand("rotate", "Rotate the token of a tunnel now");
    rotate->add_option("TUNNEL", command.tunnel, "The name of the tunnel in the policy")
        ->required()
        ->type_name("");
    RotationRequest& request = command.request;
    rotate->add_option("--reason", request.trigger, "The reason, for journal and history: one line")
        ->type_name("TEXT");
    rotate->add_flag("--accept-gap", request.accept_gap,
                     "Rotate even if fewer than min_available other units\n"
                     "serve during a restart");
    rotate->add_flag_callback(
        "--compromised", [&request] { request.kind = RotationKind::compromise; },
        "Somebody else has the token: rotate at once, even if the\n"
        "tunnel is paused or a rotation is open. Drop unknown\n"
        "connectors, then restart one unit after the other\n"
        "without a soak");
    rotate->add_flag("--evict-all", request.evict_all,
                     "With --compromised: drop all connections, including those\n"
                     "of the tunnel's own units. The tunnel is down until the\n"
                     "first unit is back");
    rotate->add_flag("--detach", command.detach,
                     "Restart the only connector even if your own login comes\n"
                     "through it");
    rotate->add_flag("--follow", command.follow, "Show the progress until the rotation ends");
    rotate->footer(
        "keyturnd sends a new secret to Cloudflare, delivers the new token, and restarts\n"
        "the units in batches. Without --follow, this command returns as soon as keyturnd\n"
        "has accepted the request. With --follow while a rotation is already open, it follows\n"
        "that one. Ctrl-C stops following; the rotation continues.");
    return rotate;
}

CLI::App* add_decision(CLI::App& app, const DecisionHelp& help, DecisionCommand& command) {
    CLI::App* decision = app.add_subcommand(help.name, help.description);
    command.decision = help.decision;
    decision->add_option("TUNNEL", command.tunnel, "The name of the tunnel in the policy")
        ->required()
        ->type_name("");
    if (help.follows) {
        decision->add_flag("--follow", command.follow, "Show the progress until the rotation ends");
    }
    decision->footer(help.footer);
    return decision;
}

/// init, join and rejoin take this host's short name by default; the library does not know it.
CLI::App* add_fleet(CLI::App& app, FleetCommand& command) {
    CLI::App* fleet =
        app.add_subcommand("fleet", "Rotate a tunnel that runs on several hosts together");
    fleet->require_subcommand(1);
    const auto add = [&](const char* name, const char* help, const char* argument,
                         const char* argument_help, bool required) {
        CLI::App* one = fleet->add_subcommand(name, help);
        one->callback([&command, name] { command.command = name; });
        if (std::string_view(name) == "key") return;
        one->add_option("TUNNEL", command.tunnel, "The name of the tunnel in the policy")
            ->required()
            ->type_name("");
        if (argument == nullptr) return;
        CLI::Option* option = one->add_option(argument, command.argument, argument_help);
        option->type_name(argument[0] != '-' ? "" : required ? "NUMBER" : "NAME");
        if (required) option->required();
    };
    constexpr const char* own_name = "The name of this host in the fleet; default: its host name";
    add("status", "Show the hosts of the fleet and what each does", nullptr, "", false);
    add("init", "Begin a fleet, with this host as its first", "--host", own_name, false);
    add("join", "Make this host a member of the fleet", "--host", own_name, false);
    add("rejoin", "Join again, in the place of a host with an old disk or a clone", "--host",
        own_name, false);
    add("decommission", "Remove a host that is gone for ever", "HOST",
        "The name of the host in the fleet", true);
    add("accept", "Go on from a shared object that somebody has put back", "--rev",
        "The rev that it has now", true);
    add("key", "Print a new fleet key, for the file that the policy names", nullptr, "", false);
    fleet->footer(
        "The hosts share a small object in a bucket or in etcd, which `coordinator:` in the\n"
        "policy names. See keyturn-fleet(7).");
    return fleet;
}

std::vector<std::string_view> names_of_commands() {
    std::vector<std::string_view> names{"status", "watch", "plan", "check", "rotate"};
    for (const DecisionHelp& decision : decisions) names.emplace_back(decision.name);
    names.emplace_back("fleet");
    for (const ForwardedHelp& help : forwarded) names.emplace_back(help.name);
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

/// Returns the error for a word that the command does not accept.
std::string unexpected(const CLI::App& command, const std::string& word, bool of_keyturnctl) {
    if (word.starts_with("-")) {
        const std::vector<std::string> options = names_of_options(command);
        return "unknown option " + word + suggested(word, {options.begin(), options.end()});
    }
    if (of_keyturnctl) return "unknown command " + word + suggested(word, names_of_commands());
    const std::string start = "unexpected argument \"" + word + "\"; ";
    if (command.get_name() == "fleet") return start + "keyturnctl fleet --help lists what it takes";
    return start + command.get_name() + " takes one argument";
}

std::string complaint(const CLI::App& app, const CLI::App& command, const CLI::ParseError& error) {
    const std::vector<std::string> extra = app.remaining(true);
    if (!extra.empty()) return printable(unexpected(command, extra.front(), &command == &app));
    if (error.get_name() == "RequiredError" && command.get_name() == "fleet") {
        return "fleet needs a command and all of its arguments; keyturnctl fleet --help lists them";
    }
    if (error.get_name() == "RequiredError") {
        return command.get_name() + " needs a TUNNEL; keyturnctl status lists the tunnels";
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

/// Turns "help rotate" into "rotate --help".
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
    formatter->label("Positionals", "Arguments");
}

}  // namespace

Command parse_command_line(const std::vector<std::string>& arguments) {
    CLI::App app(description, "keyturnctl");
    Options options;
    set_up_help(app);
    const CLI::App* status = add_status(app, options.status, options.follow_status);
    const CLI::App* watch = add_watch(app, options.watch);
    const CLI::App* plan = add_plan(app, options.plan);
    const CLI::App* check = add_check(app, options.check);
    const CLI::App* rotate = add_rotate(app, options.rotate);
    std::array<const CLI::App*, decisions.size()> decided{};
    for (std::size_t i = 0; i < decisions.size(); ++i) {
        decided[i] = add_decision(app, decisions[i], options.decided[i]);
    }

    const CLI::App* fleet = add_fleet(app, options.fleet);
    for (const ForwardedHelp& help : forwarded) app.add_subcommand(help.name, help.description);

    std::vector<std::string> reversed = without_help_command(arguments);
    if (!reversed.empty() && is_forwarded(reversed.front())) return ForwardedCommand{reversed};
    std::reverse(reversed.begin(), reversed.end());  // CLI11 expects the last argument first.
    try {
        app.parse(std::move(reversed));
    } catch (const CLI::ParseError& error) {
        return say(app, error);
    }
    if (status->parsed() && options.follow_status) return WatchCommand{options.status.tunnel};
    if (status->parsed()) return options.status;
    if (watch->parsed()) return options.watch;
    if (plan->parsed()) return options.plan;
    if (check->parsed()) return options.check;
    const RotationRequest& request = options.rotate.request;
    const bool compromised = request.kind == RotationKind::compromise;
    if (rotate->parsed() && request.evict_all && !compromised) {
        return usage("--evict-all requires --compromised", rotate);
    }
    if (rotate->parsed()) return options.rotate;
    for (std::size_t i = 0; i < decisions.size(); ++i) {
        if (decided[i]->parsed()) return options.decided[i];
    }
    if (fleet->parsed()) return options.fleet;
    // CLI11 has the same message for a missing and an unknown command, so we write our own.
    std::string names;
    for (const std::string_view name : names_of_commands()) names += ' ' + std::string(name);
    return usage("no command given; commands are:" + names);
}

}  // namespace keyturn
