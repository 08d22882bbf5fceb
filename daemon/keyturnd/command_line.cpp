#include "keyturnd/command_line.hpp"

#include "keyturnd/exit_code.hpp"

#include <CLI/CLI.hpp>

#include <cstdlib>

namespace keyturn {

namespace {

constexpr const char* about =
    "keyturnd rotates Cloudflare Tunnel tokens on this host: on the schedule of its policy it "
    "gives a\n"
    "tunnel a new secret, delivers the new token to the cloudflared units, restarts them one by "
    "one,\n"
    "and proves after each that it serves with the new token. systemd starts it; `keyturnctl` "
    "talks\n"
    "to it; `journalctl -u keyturnd` shows what it did.";

constexpr const char* exit_codes =
    "Exit codes: 0 ended by a signal, 1 error, 2 wrong options, 75 another keyturnd runs, 78 the\n"
    "policy is wrong (each problem is named with its line).";

}  // namespace

ParsedCommandLine parse_command_line(int argc, char** argv) {
    CommandLine options;
    // systemd names the directory that it made for us (StateDirectory=).
    if (const char* directory = std::getenv("STATE_DIRECTORY")) options.state_directory = directory;
    CLI::App app{about, "keyturnd"};
    app.footer(exit_codes);
    app.set_version_flag("--version", "keyturnd " KEYTURN_VERSION);
    app.add_option("--policy", options.policy_file, "The policy file")->capture_default_str();
    app.add_option("--state-directory", options.state_directory, "Where tokens and state are kept")
        ->capture_default_str();
    CLI::Option* check =
        app.add_flag("--check", options.check, "Check the policy file, say what it means, and end");
    app.add_flag("--quiet", options.quiet, "With --check: say only what is wrong")->needs(check);
    app.add_flag("--schema", options.schema,
                 "Print the policy's language as a JSON Schema, for editors, and end");
    CLI::Option* surge =
        app.add_option("--surge-unit", options.surge_unit,
                       "Print the unit keyturn-surge@TUNNEL.service, made from the tunnel's first "
                       "unit, and end")
            ->type_name("TUNNEL");
    app.add_option("--output", options.output,
                   "With --surge-unit: write it into FILE, whole or not at all")
        ->type_name("FILE")
        ->needs(surge);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        return app.exit(error) == 0 ? exit_ok : exit_usage;
    }
    return options;
}

}  // namespace keyturn
