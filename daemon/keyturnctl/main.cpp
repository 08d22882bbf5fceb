#include "client.hpp"
#include "command_line.hpp"
#include "follow.hpp"
#include "plan_view.hpp"
#include "status_json.hpp"
#include "status_table.hpp"
#include "terminal.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <unistd.h>

namespace keyturn {
namespace {

Result<std::vector<TunnelStatus>> statuses(Client& client, const std::string& tunnel) {
    if (tunnel.empty()) return client.tunnels();
    auto one = client.tunnel(tunnel);
    if (one.has_error()) return one.error();
    return std::vector<TunnelStatus>{std::move(one.value())};
}

Result<ExitCode> run(const StatusCommand& command, Client client) {
    const auto tunnels = statuses(client, command.tunnel);
    if (tunnels.has_error()) return tunnels.error();
    const auto now = std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
    print(command.json ? status_json(*tunnels)
                       : status_table(*tunnels, now, Terminal().style(), !command.tunnel.empty()));
    return exit_code_of(*tunnels);
}

Result<ExitCode> run(const PlanCommand& command, Client client) {
    auto plans = client.plans(command.next);
    if (plans.has_error()) return plans.error();
    if (!command.tunnel.empty()) {
        std::erase_if(*plans, [&](const TunnelPlan& plan) { return plan.name != command.tunnel; });
        if (plans->empty()) {
            // The error lists the tunnels of the policy.
            const auto unknown = client.tunnel(command.tunnel);
            if (unknown.has_error()) return unknown.error();
        }
    }
    const auto now = std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
    print(command.json ? plan_json(*plans) : plan_view(*plans, now, Terminal().style()));
    return ExitCode::ok;
}

Result<ExitCode> run(const RotateCommand& command, Client client) {
    const auto request = [&](Client& to) { return to.rotate(command); };
    if (command.follow) return follow(std::move(client), command.tunnel, {"done", true}, request);
    if (auto accepted = request(client); accepted.has_error()) return accepted.error();
    print(fmt::format(
        "keyturnd has accepted the rotation of {0}. To see its progress: keyturnctl status {0}\n",
        printable(command.tunnel)));
    return ExitCode::ok;
}

/// {0} stands for the name of the tunnel.
const char* said_of(Decision decision) {
    switch (decision) {
        case Decision::pause: return "{0} is paused. To end the pause: keyturnctl resume {0}";
        case Decision::resume:
            return "{0} is no longer paused. To see its status: keyturnctl status {0}";
        case Decision::revert:
            return "{0} goes back to the old token. To see its progress: keyturnctl status {0}";
        case Decision::retry: break;
    }
    return "The rotation of {0} continues. To see its progress: keyturnctl status {0}";
}

Result<ExitCode> run(const DecisionCommand& command, Client client) {
    const auto request = [&](Client& to) { return to.decide(command); };
    const Wanted wanted{command.decision == Decision::revert ? "reverted" : "done", false};
    if (command.follow) return follow(std::move(client), command.tunnel, wanted, request);
    if (auto accepted = request(client); accepted.has_error()) return accepted.error();
    print(fmt::format(fmt::runtime(said_of(command.decision)), printable(command.tunnel)) + '\n');
    return ExitCode::ok;
}

ExitCode say(const SayCommand& command) {
    std::fputs(command.text.c_str(), command.exit_code == ExitCode::ok ? stdout : stderr);
    return command.exit_code;
}

ExitCode fail(const Error& error) {
    fmt::print(stderr, "keyturnctl: {}\n", printable(error.text));
    return exit_code_of(error.fault);
}

template <class ConnectedCommand>
ExitCode perform(const ConnectedCommand& command) {
    auto client = Client::open();
    if (client.has_error()) return fail(client.error());
    const auto result = run(command, std::move(client.value()));
    return result.has_error() ? fail(result.error()) : *result;
}

/// Runs the keyturnd next to this program, because only keyturnd reads policies. Its libraries
/// would make the start of `keyturnctl status` too slow.
ExitCode perform(const CheckCommand& command) {
    std::error_code error;
    const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
    const std::string beside_us = (self.parent_path() / "keyturnd").string();
    std::vector<const char*> arguments{"keyturnd", "--check"};
    if (!command.file.empty())
        arguments.insert(arguments.end(), {"--policy", command.file.c_str()});
    arguments.push_back(nullptr);
    auto* const given = const_cast<char* const*>(arguments.data());
    ::execv(beside_us.c_str(), given);
    if (errno == ENOENT) ::execvp("keyturnd", given);
    return fail(errno_error(errno, "cannot start keyturnd to check the policy"));
}

ExitCode perform(const SayCommand& command) {
    return say(command);
}

}  // namespace
}  // namespace keyturn

int main(int argument_count, char** arguments) {
    using namespace keyturn;
    const Command command =
        parse_command_line(std::vector<std::string>(arguments + 1, arguments + argument_count));
    return static_cast<int>(std::visit([](const auto& one) { return perform(one); }, command));
}
