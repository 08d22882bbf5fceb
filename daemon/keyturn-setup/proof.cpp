#include "proof.hpp"

#include "changes.hpp"
#include "keyturnctl/client.hpp"
#include "keyturnctl/follow.hpp"
#include "keyturnctl/terminal.hpp"
#include "model/installed_names.hpp"
#include "setup/host_file.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <thread>

namespace keyturn {

namespace {

using std::chrono::steady_clock;

constexpr std::chrono::seconds seeding_patience{60};
constexpr std::chrono::milliseconds look_interval{200};

/// As the status of a tunnel calls it.
std::string name_of_move(RotationKind kind) {
    return kind == RotationKind::adopt ? "adopt" : "release";
}

std::string outcome_of(RotationKind kind) {
    return kind == RotationKind::adopt ? "adopted" : "released";
}

bool is_move(const TunnelStatus& tunnel) {
    return !tunnel.phase.empty() && (tunnel.kind == name_of_move(RotationKind::adopt) ||
                                     tunnel.kind == name_of_move(RotationKind::release));
}

/// An open rotation is in the way, and not one to follow.
Result<std::string> accepted(const Result<void>& answer) {
    if (!answer) return answer.error();
    return std::string();
}

Result<ExitCode> decide(const std::string& tunnel, Decision decision, const std::string& outcome) {
    auto client = Client::open();
    if (!client) return client.error();
    DecisionCommand command;
    command.decision = decision;
    command.tunnel = tunnel;
    const Wanted wanted{Following::decision, outcome};
    return follow(std::move(*client), {tunnel, wanted},
                  [&](Client& to) { return accepted(to.decide(command)); });
}

}  // namespace

Result<void> wait_for_keyturnd(const std::string& tunnel) {
    const auto deadline = steady_clock::now() + seeding_patience;
    std::string why = "it does not answer";
    for (;;) {
        auto client = Client::open();
        if (client) {
            const auto status = client->tunnel(tunnel);
            const auto file = read_host_file(token_file_of(tunnel));
            if (status && file && *file) return {};
            why = status ? fmt::format("{} does not exist yet; {}", token_file_of(tunnel),
                                       fmt::join(status->findings, "; "))
                         : status.error().text;
        }
        if (steady_clock::now() > deadline) {
            return Error{Fault::unreachable,
                         fmt::format("keyturnd is not ready: {}; see journalctl -u keyturnd", why),
                         {}};
        }
        std::this_thread::sleep_for(look_interval);
    }
}

Result<ExitCode> prove(RotationKind kind, const TunnelToBringIn& tunnel, const Manner& manner) {
    auto client = Client::open();
    if (!client) return client.error();
    const auto status = client->tunnel(tunnel.name);
    if (!status) return status.error();
    if (is_move(*status) && status->state == "held") {
        if (status->kind == name_of_move(kind))
            return decide(tunnel.name, Decision::retry, outcome_of(kind));
        const auto back = take_back(tunnel.name);
        if (!back || *back != ExitCode::ok) return back;
    }
    const bool in = kind == RotationKind::adopt;
    RotateCommand command;
    command.tunnel = tunnel.name;
    command.request.kind = kind;
    command.request.trigger = in ? "keyturnctl adopt" : "keyturnctl adopt --undo";
    command.request.accept_gap = manner.accept_gap;
    for (const SurveyedUnit* unit : tunnel.units) command.request.units.push_back(unit->name());
    const Wanted wanted{Following::request, outcome_of(kind)};
    return follow(std::move(*client), {tunnel.name, wanted},
                  [&](Client& to) { return accepted(to.rotate(command)); });
}

Result<ExitCode> take_back(const std::string& tunnel) {
    return decide(tunnel, Decision::revert, "reverted");
}

Result<ExitCode> wait_for_moves() {
    auto client = Client::open();
    if (!client) return ExitCode::ok;
    const auto tunnels = client->tunnels();
    if (!tunnels) return ExitCode::ok;  // It does not run, so it does nothing.
    for (const TunnelStatus& tunnel : *tunnels) {
        if (!is_move(tunnel) || tunnel.state == "held") continue;
        say("keyturnd is still restarting units of {}, as an earlier run asked it to\n",
            tunnel.name);
        auto again = Client::open();
        if (!again) return again.error();
        const auto kind = tunnel.kind == name_of_move(RotationKind::adopt) ? RotationKind::adopt
                                                                           : RotationKind::release;
        const Wanted wanted{Following::decision, outcome_of(kind)};
        const auto ended = follow(std::move(*again), {tunnel.name, wanted}, {});
        if (!ended || *ended == ExitCode::interrupted) return ended;
    }
    return ExitCode::ok;
}

}  // namespace keyturn
