#include "member/follower_shell.hpp"

#include "clock/clock.hpp"
#include "delivery/token_store.hpp"
#include "executor/by_kind.hpp"
#include "units/unit_manager.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <fmt/format.h>

#include <utility>

namespace keyturn {

namespace {

/// How a restart ended, for people.
std::string told_end(const std::string& unit, const Result<RestartResult>& restarted) {
    if (!restarted) return fmt::format("Could not restart {}: {}", unit, restarted.error().text);
    if (*restarted == JobResult::done) return fmt::format("systemd has restarted {}", unit);
    if (*restarted == JobResult::queued) return fmt::format("systemd restarts {} soon", unit);
    return fmt::format("systemd did not restart {}: its job ended with `{}`", unit,
                       name_of(restarted->result));
}

}  // namespace

FollowerShell::FollowerShell(const boost::asio::any_io_executor& executor,
                             const TunnelPolicy& policy, Dependencies world, EventLog& log,
                             Fleet& fleet, bool credential)
    : policy_(policy),
      world_(world),
      log_(log),
      fleet_(fleet),
      credential_(credential),
      wakeup_(executor) {}

Task<FollowerAnswer> FollowerShell::perform(const FollowerAction& action) {
    return ByKind::perform(*this, action);
}

/// With the host that leads in brackets, if one does.
void FollowerShell::tell(Event event, std::string message) {
    const auto& lead = fleet_.seen()->lead;
    if (lead) message += fmt::format(" ({} leads the rotation)", lead->host);
    event.message = std::move(message);
    event.priority = Priority::notice;
    event.tunnel_name = policy_.name;
    event.tunnel_id = policy_.tunnel;
    log_.record(event);
}

Task<Result<FleetDocument>> FollowerShell::act(const LookAtObject&) {
    return fleet_.look();
}

Task<Result<FleetDocument>> FollowerShell::act(const ChangeObject& action) {
    return fleet_.change(action.transition, true);
}

Task<Result<SeeOwnHost::Value>> FollowerShell::act(const SeeOwnHost& action) {
    SeeOwnHost::Value value;
    const auto checked = world_.tokens.check(policy_.name);
    if (!checked) value.problem = checked.error().text;
    const auto file = local_.delivered_fingerprint();
    if (file) value.file = *file;
    if (action.inspect || setups_.empty()) {
        const InspectUnits question{.must_know = false};
        auto inspected = co_await local_.act(question);
        if (!inspected) co_return inspected.error();
        setups_.clear();
        for (InspectUnits::Unit& unit : *inspected) {
            if (!unit.surge) setups_.push_back(std::move(unit));
        }
    }
    SampleUnits question;
    for (const InspectUnits::Unit& unit : setups_) question.names.push_back(unit.name);
    const auto samples = co_await local_.act(question);
    if (!samples) co_return samples.error();
    for (std::size_t i = 0; i < samples->size(); ++i) {
        value.units.push_back(MemberUnit{setups_[i], (*samples)[i]});
    }
    co_return value;
}

Result<void> FollowerShell::write(const std::string& id, const Secret& text) {
    const auto staged = world_.tokens.stage(policy_.name, id, text);
    if (!staged) return staged.error();
    return world_.tokens.swap_in(policy_.name, id);
}

Task<Result<void>> FollowerShell::act(const StageToken& action) {
    const auto tokens = fleet_.keys().unseal(*fleet_.seen());
    if (!tokens) co_return tokens.error();
    co_return world_.tokens.stage(policy_.name, action.rotation_id, tokens->new_token);
}

/// Returns false if the token is not among the sealed ones.
Result<bool> FollowerShell::replace_from_sealed(const Fingerprint& token) {
    if (!fleet_.seen()->sealed) return false;
    const auto tokens = fleet_.keys().unseal(*fleet_.seen());
    if (!tokens) return tokens.error();
    if (fingerprint_of_text(tokens->new_token) == token) {
        const auto swapped = world_.tokens.swap_in(policy_.name, tokens->rotation_id);
        const auto file = local_.delivered_fingerprint();
        if (swapped && file && *file == token) return true;
    }
    for (const Secret* text : {&tokens->new_token, &tokens->old_token}) {
        if (fingerprint_of_text(*text) != token) continue;
        const auto written = write(tokens->rotation_id, *text);
        if (!written) return written.error();
        return true;
    }
    return false;
}

Task<Result<void>> FollowerShell::act(const ReplaceToken& action) {
    const auto replaced = co_await replace(action.token);
    if (!replaced) co_return replaced.error();
    Event event{.kind = EventKind::token_received, .fingerprint = action.token};
    const auto& rotation = fleet_.seen()->state.rotation;
    if (rotation) event.rotation_id = rotation->rotation_id;
    tell(std::move(event),
         fmt::format("The token file of {} now contains the fleet's token", policy_.name));
    co_return Result<void>();
}

Task<Result<void>> FollowerShell::replace(Fingerprint token) {
    const auto replaced = replace_from_sealed(token);
    if (replaced && *replaced) co_return Result<void>();
    if (!credential_) {
        if (!replaced) co_return replaced.error();
        co_return Error{
            Fault::missing,
            "this host has neither the tunnel's token nor a Cloudflare credential to get it; a "
            "host that has one hands it out soon",
            {}};
    }
    const TunnelRef tunnel{policy_.account, policy_.tunnel};
    const auto answer = co_await world_.api.get_token(tunnel);
    if (!answer) co_return answer.error();
    const auto shown = decode_token(answer->token.reveal());
    if (!shown) co_return with_context("Cloudflare's token", shown.error());
    if (fingerprint_of(*shown) != token) {
        co_return Error{Fault::busy, "Cloudflare does not show the tunnel's token yet", {}};
    }
    co_return write(rotation_id_of(*shown), answer->token);
}

Task<Result<RestartResult>> FollowerShell::act(const RestartOwnUnit& action) {
    if (world_.clock.boot_now() > action.not_after) {
        co_return Error{Fault::busy, "keyturnd was stopped for a while after it took its turn", {}};
    }
    const bool turn = !action.rotation_id.empty();
    Event event{.kind = turn ? EventKind::turn_taken : EventKind::unit_revived,
                .rotation_id = action.rotation_id,
                .target_unit = action.unit};
    if (const auto file = local_.delivered_fingerprint()) event.fingerprint = *file;
    tell(event,
         turn ? fmt::format("Restarting {}: it is this unit's turn in the rotation of {}",
                            action.unit, policy_.name)
              : fmt::format("Restarting {}: it has no connection, and may have started with a "
                            "different token than the one in the token file of {}",
                            action.unit, policy_.name));
    auto restarted = co_await world_.units.restart(action.unit, action.verb, action.deadline);
    if (turn) event.kind = EventKind::turn_ended;
    tell(std::move(event), told_end(action.unit, restarted));
    co_return restarted;
}

Task<Result<void>> FollowerShell::act(const RestAWhile& action) {
    using namespace boost::asio::experimental::awaitable_operators;
    const BootTime until = action.until;
    co_await (fleet_.wait_for_change(until) || wakeup_.wait());
    co_return Result<void>();
}

}  // namespace keyturn
