#include "base/short_host_name.hpp"
#include "client.hpp"
#include "command_line.hpp"
#include "fleet.hpp"
#include "follow.hpp"
#include "login_path.hpp"
#include "model/installed_names.hpp"
#include "other_program.hpp"
#include "plan_view.hpp"
#include "status_json.hpp"
#include "status_table.hpp"
#include "terminal.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <unistd.h>

namespace keyturn {
namespace {

Result<ExitCode> run(const StatusCommand& command, Client client) {
    const auto tunnels = client.tunnels_named(command.tunnel);
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

Result<ExitCode> run(const WatchCommand& command, Client client) {
    return follow(std::move(client), {command.tunnel, std::nullopt}, {});
}

/// setup and surge write this unit for a tunnel with a single connector.
bool has_extra_connector(const std::string& tunnel) {
    std::error_code error;
    return std::filesystem::exists("/etc/systemd/system/" + surge_unit_of(tunnel), error);
}

/// Does not cut an operator off who has logged in through the tunnel. A stolen token cannot wait.
Result<void> mind_the_login(const RotateCommand& command, Client& client) {
    if (command.request.kind == RotationKind::compromise) return {};
    const auto tunnel = client.tunnel(command.tunnel);
    if (!tunnel) return tunnel.error();
    std::vector<std::string> units;
    for (const UnitStatus& unit : tunnel->units) units.push_back(unit.name);
    const std::string unit = unit_of_login(::getpid(), units);
    if (unit.empty()) return {};
    const bool others_serve = has_extra_connector(command.tunnel) ||
                              std::ranges::any_of(tunnel->health, [&](const UnitHealth& other) {
                                  return other.name != unit && other.health == "serving";
                              });
    return permit_cut(unit, printable(command.tunnel), others_serve, command.detach);
}

Result<ExitCode> run(const RotateCommand& command, Client client) {
    if (auto minded = mind_the_login(command, client); !minded) return minded.error();
    const auto request = [&](Client& to) -> Result<std::string> {
        const auto accepted = to.rotate(command);
        if (!accepted.has_error()) return std::string();
        if (accepted.error().fault == Fault::conflict) return accepted.error().text;
        return accepted.error();
    };
    if (command.follow) {
        return follow(std::move(client), {command.tunnel, Wanted{Following::request}}, request);
    }
    if (auto accepted = client.rotate(command); accepted.has_error()) return accepted.error();
    print(fmt::format(
        "keyturnd has accepted the rotation of {0}. To see its progress: keyturnctl watch {0}\n",
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
            return "{0} goes back to the old token. To see its progress: keyturnctl watch {0}";
        case Decision::retry: break;
    }
    return "The rotation of {0} continues. To see its progress: keyturnctl watch {0}";
}

Result<ExitCode> run(const DecisionCommand& command, Client client) {
    const auto request = [&](Client& to) -> Result<std::string> {
        const auto accepted = to.decide(command);
        if (accepted.has_error()) return accepted.error();
        return std::string();
    };
    const Wanted wanted{Following::decision,
                        command.decision == Decision::revert ? "reverted" : "done"};
    if (command.follow) return follow(std::move(client), {command.tunnel, wanted}, request);
    if (auto accepted = request(client); accepted.has_error()) return accepted.error();
    print(fmt::format(fmt::runtime(said_of(command.decision)), printable(command.tunnel)) + '\n');
    return ExitCode::ok;
}

Result<ExitCode> run(FleetCommand command, Client client) {
    if (command.command == "status") {
        const auto lines = client.fleet_status(command.tunnel);
        if (lines.has_error()) return lines.error();
        print(*lines);
        return ExitCode::ok;
    }
    const bool names_itself = command.command == "init" || command.command == "join";
    if (names_itself && command.argument.empty()) command.argument = short_host_name();
    const auto told = client.fleet(command);
    if (told.has_error()) return told.error();
    print(printable(*told) + '\n');
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

/// A key is made without keyturnd.
ExitCode perform(const FleetCommand& command) {
    if (command.command == "key") {
        const auto line = new_fleet_key();
        if (line.has_error()) return fail(line.error());
        std::puts(line->c_str());
        return ExitCode::ok;
    }
    auto client = Client::open();
    if (client.has_error()) return fail(client.error());
    const auto result = run(command, std::move(client.value()));
    return result.has_error() ? fail(result.error()) : *result;
}

template <class ConnectedCommand>
ExitCode perform(const ConnectedCommand& command) {
    auto client = Client::open();
    if (client.has_error()) return fail(client.error());
    const auto result = run(command, std::move(client.value()));
    return result.has_error() ? fail(result.error()) : *result;
}

/// Runs another program of keyturn: the one next to this program, else the installed one.
ExitCode perform_by(const std::vector<std::string>& places, const std::string& name,
                    const std::vector<std::string>& arguments) {
    std::vector<char*> given{const_cast<char*>(name.c_str())};
    for (const std::string& argument : arguments)
        given.push_back(const_cast<char*>(argument.c_str()));
    given.push_back(nullptr);
    const std::string path = find_program(places, name);
    if (path.empty()) return fail(errno_error(ENOENT, "cannot start " + name));
    ::execv(path.c_str(), given.data());
    return fail(errno_error(errno, "cannot start " + name));
}

/// Only keyturnd reads policies. Its libraries would make the start of `keyturnctl status` too
/// slow.
ExitCode perform(const CheckCommand& command) {
    std::vector<std::string> arguments{"--check"};
    if (!command.file.empty()) arguments.insert(arguments.end(), {"--policy", command.file});
    return perform_by({"", "../keyturnd"}, "keyturnd", arguments);
}

ExitCode perform(const ForwardedCommand& command) {
    return perform_by({"../libexec/keyturn", "../keyturn-setup"}, "keyturn-setup",
                      command.arguments);
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
