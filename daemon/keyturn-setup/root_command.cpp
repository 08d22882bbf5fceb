#include "root_command.hpp"

#include "keyturnctl/exit_code.hpp"

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace keyturn {

namespace {

constexpr const char* setup_description =
    "Bring the cloudflared units of this host under keyturn.\n"
    "Finds the units, asks for a Cloudflare API token, shows every file that it would write, and\n"
    "asks before it changes anything. The tunnels stay up: keyturnd restarts the units one by one\n"
    "and checks each. Running it again is safe: it completes what is missing.\n";

constexpr const char* adopt_description =
    "Make units take their token from the file that keyturnd replaces, or undo that.\n"
    "keyturnd restarts the units under the rules of a rotation and checks that they serve. If one\n"
    "does not, its files are restored.\n";

constexpr const char* surge_description =
    "Write the unit of the extra connector that serves while keyturnd restarts the only connector\n"
    "of a tunnel. It is a copy of the tunnel's first unit: write it again when that changes.\n";

constexpr const char* doctor_description =
    "Check this host: its units and their tokens, the API token, the network,\n"
    "keyturnd and polkit. Shows what is wrong, why it matters, and one command for\n"
    "each that fixes it. Changes nothing, but with a UNIT, root looks again at those\n"
    "of its files that keyturnd cannot read.\n";

constexpr const char* doctor_footer =
    "Exits with 6 if a check fails that is not ignored, else with 0. keyturnctl(1)\n"
    "describes each check. With --dump, it exits with 0 if the file was written.";

constexpr std::size_t names_columns = 24;

void add_manner(CLI::App& app, Manner& manner) {
    app.add_flag("-y,--yes", manner.yes, "Ask nothing");
    app.add_flag("-n,--dry-run", manner.dry_run, "Show the changes and make none");
}

void add_gap(CLI::App& app, Manner& manner) {
    app.add_flag("--accept-gap", manner.accept_gap,
                 "Let traffic stop for a moment if no extra connector can help");
    app.add_flag("--detach", manner.detach,
                 "Restart the only connector even if your own login comes\n"
                 "through it");
}

CLI::App* add_doctor(CLI::App& app, DoctorCommand& command) {
    CLI::App* const doctor = app.add_subcommand("doctor", doctor_description);
    CLI::Option* const units = doctor->add_option(
        "UNIT", command.units, "Leave out what is about other units; look again");
    CLI::Option* const json =
        doctor->add_flag("--json", command.json, "Print JSON for programs; its keys are stable");
    CLI::Option* const only =
        doctor->add_option("--only", command.only, "Make only this check")->type_name("ID");
    CLI::Option* const dump =
        doctor
            ->add_option("--dump", command.dump,
                         "Collect what a bug report needs in this file, without secrets")
            ->type_name("FILE");
    CLI::Option* const ignore = doctor
                                    ->add_option("--ignore", command.ignore,
                                                 "Do not count this check from now on; needs --why")
                                    ->type_name("ID");
    CLI::Option* const why =
        doctor->add_option("--why", command.why, "The reason, one line")->type_name("TEXT");
    ignore->needs(why);
    why->needs(ignore);
    CLI::Option* const heed =
        doctor->add_option("--heed", command.heed, "Count this check again")->type_name("ID");
    for (CLI::Option* const other : {units, json, only, ignore, heed}) dump->excludes(other);
    doctor->footer(doctor_footer);
    return doctor;
}

}  // namespace

std::variant<RootCommand, int> parse_root_command_line(int argc, char** argv) {
    CLI::App app("Bring this host's connectors under keyturn", "keyturnctl");
    app.get_formatter()->column_width(names_columns);
    app.require_subcommand(1);

    SetupCommand setup;
    CLI::App* const set_up = app.add_subcommand("setup", setup_description);
    add_manner(*set_up, setup.manner);
    add_gap(*set_up, setup.manner);
    set_up->add_option("--api-token-file", setup.api_token_file,
                       "Read the API token from this file (-: standard input)");
    set_up->add_flag("--plain-credential", setup.plain_credential,
                     "Store the API token unencrypted (mode 0600)");
    set_up->add_flag("--other-hosts", setup.other_hosts,
                     "Bring in the units of this host if the tunnel also runs on\n"
                     "other hosts; make a fleet of these hosts afterwards");

    AdoptCommand adopt;
    CLI::App* const adopts = app.add_subcommand("adopt", adopt_description);
    adopts->add_option("UNIT", adopt.units, "Units of the policy")->required();
    adopts->add_flag("--undo", adopt.undo, "Take the units out again");
    adopts->add_flag("--expose-token", adopt.expose_token,
                     "With --undo: also write the token where other users can read it,\n"
                     "if it was there before");
    add_manner(*adopts, adopt.manner);
    add_gap(*adopts, adopt.manner);

    SurgeCommand surge;
    CLI::App* const surges = app.add_subcommand("surge", surge_description);
    surges->add_option("TUNNEL", surge.tunnel, "Name in the policy")->required();
    add_manner(*surges, surge.manner);

    DoctorCommand doctor;
    const CLI::App* const doctors = add_doctor(app, doctor);

    AskPolkitCommand ask;
    CLI::App* const asks = app.add_subcommand("ask-polkit", "Used by doctor")->group("");
    asks->add_option("UNIT", ask.units, "Units of the policy");

    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& error) {
        const int code = app.exit(error);
        return code == 0 ? 0 : static_cast<int>(ExitCode::usage);
    }
    if (set_up->parsed()) return RootCommand(setup);
    if (adopts->parsed()) return RootCommand(adopt);
    if (doctors->parsed()) return RootCommand(doctor);
    if (asks->parsed()) return RootCommand(ask);
    return RootCommand(surge);
}

}  // namespace keyturn
