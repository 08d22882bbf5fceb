#include "base/ascii.hpp"
#include "doctor.hpp"
#include "rights.hpp"
#include "root_command.hpp"
#include "setup.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <sys/prctl.h>
#include <unistd.h>
#include <vector>

namespace keyturn {
namespace {

ExitCode perform(const SetupCommand& command) {
    return set_up(command);
}

ExitCode perform(const AdoptCommand& command) {
    return adopt(command);
}

ExitCode perform(const SurgeCommand& command) {
    return write_surge_unit(command);
}

ExitCode perform(const DoctorCommand& command) {
    return examine_host(command);
}

ExitCode perform(const AskPolkitCommand& command) {
    return ask_polkit(command);
}

/// Set inside of the unit in which this program runs: the process that started it.
constexpr const char* inside = "KEYTURN_SETUP_SESSION";

/// Set there, too: the process that waits for the unit. Its environment may name a proxy with a
/// password, and the environment of a unit is public.
constexpr const char* waiting = "KEYTURN_SETUP_WAITING";

/// What changes the host runs in a unit of its own, so that it ends although the terminal ends
/// first: the terminal may come through the tunnel. Secrets are in no core dump, and never in swap.
/// More settings would protect little, because a program that changes units can do whatever root
/// can. Does not return if it can be started.
int run_as_unit(int argc, char** argv) {
    const std::string self = std::filesystem::read_symlink("/proc/self/exe");
    const bool terminal = ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1;
    std::vector<std::string> words{"systemd-run",
                                   "--quiet",
                                   "--collect",
                                   "--wait",
                                   "--service-type=exec",
                                   "--unit=keyturn-setup",
                                   "--description=keyturnctl brings connectors in or out",
                                   "--property=LimitCORE=0",
                                   "--property=MemorySwapMax=0",
                                   "--property=LimitMEMLOCK=8M",
                                   "--property=KeyringMode=private",
                                   terminal ? "--pty" : "--pipe",
                                   "--setenv",
                                   std::string(inside) + "=" + std::to_string(::getppid()),
                                   "--setenv",
                                   std::string(waiting) + "=" + std::to_string(::getpid())};
    for (const char* name : {"TERM", "NO_COLOR", "COLUMNS", "LANG"})
        if (std::getenv(name) != nullptr) words.insert(words.end(), {"--setenv", name});
    words.push_back(self);
    words.insert(words.end(), argv + 1, argv + argc);
    std::vector<char*> given;
    for (std::string& word : words) given.push_back(word.data());
    given.push_back(nullptr);
    ::execvp(given[0], given.data());
    return static_cast<int>(fail(errno_error(errno, "cannot start systemd-run")));
}

bool changes_the_host(const RootCommand& command) {
    if (std::holds_alternative<DoctorCommand>(command)) return false;
    return std::visit([](const auto& one) { return !one.manner.dry_run; }, command);
}

}  // namespace
}  // namespace keyturn

int main(int argc, char** argv) {
    using namespace keyturn;
    // Before any secret is in memory: no core dump, and no ptrace by other processes.
    ::prctl(PR_SET_DUMPABLE, 0);
    const auto parsed = parse_root_command_line(argc, argv);
    if (const int* exit_code = std::get_if<int>(&parsed)) return *exit_code;
    auto command = std::get<RootCommand>(parsed);
    if (const auto* ask = std::get_if<AskPolkitCommand>(&command))
        return static_cast<int>(perform(*ask));
    if (::geteuid() != 0)
        return static_cast<int>(
            fail({Fault::denied, "only root can do this; try again with sudo", {}}));
    const char* session = std::getenv(inside);
    if (session == nullptr && changes_the_host(command)) return run_as_unit(argc, argv);
    if (session != nullptr)
        std::visit([&](auto& one) { one.manner.session = std::atoi(session); }, command);
    const char* waits = std::getenv(waiting);
    auto* const setup = std::get_if<SetupCommand>(&command);
    if (setup != nullptr && waits != nullptr)
        setup->environment_of = to_number<std::uint32_t>(waits).value_or(0);
    // What has begun goes on, although nobody reads what it prints any more.
    std::signal(SIGHUP, SIG_IGN);
    std::signal(SIGPIPE, SIG_IGN);
    const auto perform_one = [](const auto& one) { return perform(one); };
    return static_cast<int>(std::visit(perform_one, command));
}
