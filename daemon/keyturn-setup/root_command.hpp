#pragma once

#include <cstdint>
#include <string>
#include <sys/types.h>
#include <variant>
#include <vector>

namespace keyturn {

/// What every command has in common.
struct Manner {
    bool yes = false;         ///< Asks nothing.
    bool dry_run = false;     ///< Shows what it would do and changes nothing.
    bool accept_gap = false;  ///< A lone connector may restart without an extra one.
    bool detach = false;      ///< Also if the operator's own login comes through it.
    pid_t session = 0;        ///< The process that asked, in the operator's session.
};

struct SetupCommand {
    Manner manner;
    std::string api_token_file;        ///< "-": standard input; empty: asks on the terminal.
    bool plain_credential = false;     ///< Does not encrypt the API token.
    bool other_hosts = false;          ///< Tunnels may also run on other hosts.
    std::uint32_t environment_of = 0;  ///< Whose environment names a proxy; 0: this process.
};

struct AdoptCommand {
    Manner manner;
    std::vector<std::string> units;
    bool undo = false;
    bool expose_token = false;  ///< Undo may write the token where every user can read it.
};

struct SurgeCommand {
    Manner manner;
    std::string tunnel;
};

/// Changes nothing, unless it is told to ignore or heed a check, or is given a unit whose
/// attestation is out of date.
struct DoctorCommand {
    Manner manner;
    std::vector<std::string> units;  ///< Empty: all.
    std::vector<std::string> only;   ///< Ids of checks; empty: all.
    std::string ignore;              ///< The id of a check that no longer counts ...
    std::string why;                 ///< ... and why.
    std::string heed;                ///< The id of a check that counts again.
    std::string dump;                ///< The file of a support dump; empty: none.
    bool json = false;
};

/// Asks polkit, as the user that runs this, about units. The doctor runs it as keyturnd's user.
struct AskPolkitCommand {
    Manner manner;
    std::vector<std::string> units;
};

using RootCommand =
    std::variant<SetupCommand, AdoptCommand, SurgeCommand, DoctorCommand, AskPolkitCommand>;

/// The command, or the exit code if CLI11 has already answered (--help, a wrong option).
[[nodiscard]] std::variant<RootCommand, int> parse_root_command_line(int argc, char** argv);

}  // namespace keyturn
