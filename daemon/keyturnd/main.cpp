#include "keyturnd/application.hpp"
#include "keyturnd/command_line.hpp"
#include "keyturnd/exit_code.hpp"
#include "keyturnd/surge_unit.hpp"

#include <csignal>
#include <cstdio>
#include <sys/prctl.h>
#include <variant>

int main(int argc, char** argv) {
    // Before any secret is in memory: no core dump, and no ptrace by others of our own user.
    ::prctl(PR_SET_DUMPABLE, 0);

    // A new policy is taken by a restart, which loses nothing; a hang-up must not end us.
    std::signal(SIGHUP, SIG_IGN);

    const keyturn::ParsedCommandLine parsed = keyturn::parse_command_line(argc, argv);
    if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
    const auto& options = std::get<keyturn::CommandLine>(parsed);

    const keyturn::PolicyOutcome outcome = keyturn::load_policy(options.policy_file);
    if (const auto* problems = std::get_if<std::vector<keyturn::PolicyProblem>>(&outcome)) {
        for (const keyturn::PolicyProblem& problem : *problems) {
            std::fprintf(stderr, "%s\n", keyturn::to_text(problem).c_str());
        }
        return keyturn::exit_policy;
    }
    keyturn::Policy policy = std::get<keyturn::Policy>(outcome);
    for (const std::string& warning : policy.warnings) {
        std::fprintf(stderr, "<4>%s\n", warning.c_str());
    }
    if (options.check) {
        std::printf("%s is right: %zu tunnels\n", options.policy_file.c_str(),
                    policy.tunnels.size());
        return keyturn::exit_ok;
    }
    if (!options.surge_unit.empty()) return keyturn::print_surge_unit(options, policy);
    return keyturn::run_application(options, std::move(policy));
}
