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

namespace {

/// glibc maps blocks of this size and larger separately, and returns them to the kernel when they
/// are freed. Without a fixed limit, glibc raises it to the largest freed block, and a caller on
/// the bus can send 32 MiB.
constexpr int pages_of_their_own_from = 128 * 1024;

/// Shows what a valid policy means.
int check(const std::string& file, const keyturn::Policy& policy) {
    const auto now = std::chrono::floor<keyturn::Milliseconds>(std::chrono::system_clock::now());
    std::printf("%s is valid: %s\n%s", file.c_str(),
                keyturn::counted(policy.tunnels.size(), "tunnel").c_str(),
                keyturn::summary(policy, now).c_str());
    return keyturn::exit_ok;
}

}  // namespace

int main(int argc, char** argv) {
    // Set before any secret is in memory: no core dump, and no ptrace by other processes of our
    // user.
    ::prctl(PR_SET_DUMPABLE, 0);

    ::mallopt(M_MMAP_THRESHOLD, pages_of_their_own_from);

    // Ignore SIGHUP until the reload handler is there; by default it would end keyturnd.
    std::signal(SIGHUP, SIG_IGN);

    const keyturn::ParsedCommandLine parsed = keyturn::parse_command_line(argc, argv);
    if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
    const auto& options = std::get<keyturn::CommandLine>(parsed);

    if (options.schema) {
        std::fputs(keyturn::json_schema().c_str(), stdout);
        return keyturn::exit_ok;
    }
    keyturn::PolicyOutcome outcome = keyturn::load_policy(options.policy_file);
    if (const auto* problems = std::get_if<std::vector<keyturn::PolicyProblem>>(&outcome)) {
        for (const keyturn::PolicyProblem& problem : *problems) {
            std::fprintf(stderr, "%s\n", keyturn::to_text(problem).c_str());
        }
        return keyturn::exit_policy;
    }
    auto& policy = std::get<keyturn::Policy>(outcome);
    if (options.quiet) return keyturn::exit_ok;
    for (const std::string& warning : policy.warnings) {
        // The journal reads the level from "<4>"; a person who checks a policy does not need it.
        std::fprintf(stderr, "%s%s\n", options.check ? "warning: " : "<4>", warning.c_str());
    }
    if (options.check) return check(options.policy_file, policy);
    return keyturn::run_application(options, std::move(policy));
}
