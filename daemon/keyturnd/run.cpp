#include "keyturnd/run.hpp"

#include "base/counted.hpp"
#include "keyturnd/application.hpp"
#include "keyturnd/command_line.hpp"
#include "keyturnd/exit_code.hpp"
#include "policy/json_schema.hpp"
#include "policy/summary.hpp"

#include <chrono>
#include <csignal>
#include <cstdio>
#include <malloc.h>
#include <sys/prctl.h>
#include <utility>
#include <variant>

namespace keyturn {

namespace {

/// glibc maps blocks of this size and larger separately, and returns them to the kernel when they
/// are freed. Without a fixed limit, glibc raises it to the largest freed block, and a caller on
/// the bus can send 32 MiB.
constexpr int pages_of_their_own_from = 128 * 1024;

/// Shows what a valid policy means.
int check(const std::string& file, const Policy& policy) {
    const auto now = std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
    std::printf("%s is valid: %s\n%s", file.c_str(),
                counted(policy.tunnels.size(), "tunnel").c_str(), summary(policy, now).c_str());
    return exit_ok;
}

}  // namespace

std::optional<int> run_keyturnd(int argc, char** argv, const MakeFleets& make_fleets) {
    // Set before any secret is in memory: no core dump, and no ptrace by other processes of our
    // user.
    ::prctl(PR_SET_DUMPABLE, 0);

    ::mallopt(M_MMAP_THRESHOLD, pages_of_their_own_from);

    // Ignore SIGHUP until the reload handler is there; by default it would end keyturnd.
    std::signal(SIGHUP, SIG_IGN);

    const ParsedCommandLine parsed = parse_command_line(argc, argv);
    if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
    const auto& options = std::get<CommandLine>(parsed);

    if (options.schema) {
        std::fputs(json_schema().c_str(), stdout);
        return exit_ok;
    }
    PolicyOutcome outcome = load_policy(options.policy_file);
    if (const auto* problems = std::get_if<std::vector<PolicyProblem>>(&outcome)) {
        for (const PolicyProblem& problem : *problems) {
            std::fprintf(stderr, "%s\n", to_text(problem).c_str());
        }
        return exit_policy;
    }
    auto& policy = std::get<Policy>(outcome);
    if (options.quiet) return exit_ok;
    // keyturnd-fleet reads the policy again, and tells its warnings.
    if (!options.check && !make_fleets && needs_fleets(policy)) return std::nullopt;
    for (const std::string& warning : policy.warnings) {
        // The journal reads the level from "<4>"; a person who checks a policy does not need it.
        std::fprintf(stderr, "%s%s\n", options.check ? "warning: " : "<4>", warning.c_str());
    }
    if (options.check) return check(options.policy_file, policy);
    return run_application(options, std::move(policy), make_fleets);
}

}  // namespace keyturn
