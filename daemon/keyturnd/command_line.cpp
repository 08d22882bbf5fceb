#include "keyturnd/command_line.hpp"

#include "keyturnd/exit_code.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>

namespace keyturn {

namespace {

constexpr const char* about =
    "keyturnd rotates the tokens of Cloudflare Tunnels on this host. On the schedule of its\n"
    "policy it gives a tunnel a new secret, delivers the new token to the cloudflared units and\n"
    "restarts them one at a time. It verifies that each unit serves with the new token before it\n"
    "restarts the next one. systemd starts keyturnd. Use `keyturnctl` to control it, and\n"
    "`journalctl -u keyturnd` to see what it did.";

constexpr const char* exit_codes =
    "Exit codes: 0 success or stopped by a signal, 1 error, 2 wrong command line, 75 another\n"
    "keyturnd uses the state directory, 78 the policy has errors (each is shown with its line).\n"
    "More: keyturnd(8), keyturn.yaml(5), keyturnctl(1)";

}  // namespace

ParsedCommandLine parse_command_line(int argc, char** argv) {
    CommandLine options;
    // systemd sets this to the directory of StateDirectory=.
    if (const char* directory = std::getenv("STATE_DIRECTORY")) options.state_directory = directory;
    CLI::App app{about, "keyturnd"};
    app.footer(exit_codes);
    app.set_version_flag("--version", "keyturnd " KEYTURN_VERSION);
    app.add_option("--policy", options.policy_file, "The policy file")->capture_default_str();
    app.add_option("--state-directory", options.state_directory,
                   "The directory for tokens and state")
        ->capture_default_str();
    CLI::Option* check = app.add_flag("--check", options.check,
                                      "Check the policy file, show what it means, and exit");
    app.add_flag("--quiet", options.quiet, "With --check: show only errors")->needs(check);
    app.add_flag("--schema", options.schema,
                 "Print the JSON Schema of the policy, for editors, and exit");
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? exit_ok : exit_usage;
    }
    return options;
}

}  // namespace keyturn
