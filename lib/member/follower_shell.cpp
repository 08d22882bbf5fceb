#include "member/follower_shell.hpp"

#include "clock/clock.hpp"
#include "delivery/token_store.hpp"
#include "units/unit_manager.hpp"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <utility>

namespace keyturn {

FollowerShell::FollowerShell(const boost::asio::any_io_executor& executor,
                             const TunnelPolicy& policy, Dependencies world, Fleet& fleet,
                             bool credential)
    : policy_(policy), world_(world), fleet_(fleet), credential_(credential), wakeup_(executor) {}

template <class Asked>
Task<FollowerAnswer> FollowerShell::answer(const Asked& action) {
    auto result = co_await act(action);
    FollowerAnswered<Asked> answered{std::move(result)};
    co_return FollowerAnswer(std::move(answered));
}

Task<FollowerAnswer> FollowerShell::perform(const FollowerAction& action) {
    return std::visit([this](const auto& asked) { return answer(asked); }, action);
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
    const auto replaced = replace_from_sealed(action.token);
    if (replaced && *replaced) co_return Result<void>();
    if (!credential_) {
        if (!replaced) co_return replaced.error();
        co_return Error{
            Fault::missing,
            "this host does not have the tunnel's token and no Cloudflare credential to get it; a "
            "host that has one hands it out soon",
            {}};
    }
    const Fingerprint wanted = action.token;
    const TunnelRef tunnel{policy_.account, policy_.tunnel};
    const auto answer = co_await world_.api.get_token(tunnel);
    if (!answer) co_return answer.error();
    const auto token = decode_token(answer->token.reveal());
    if (!token) co_return with_context("Cloudflare's token", token.error());
    if (fingerprint_of(*token) != wanted) {
        co_return Error{Fault::busy, "Cloudflare does not show the tunnel's token yet", {}};
    }
    co_return write(rotation_id_of(*token), answer->token);
}

Task<Result<RestartResult>> FollowerShell::act(const RestartOwnUnit& action) {
    if (world_.clock.boot_now() > action.not_after) {
        co_return Error{Fault::busy, "keyturnd was stopped for a while after it took its turn", {}};
    }
    co_return co_await world_.units.restart(action.unit, action.verb, action.deadline);
}

Task<Result<void>> FollowerShell::act(const RestAWhile& action) {
    using namespace boost::asio::experimental::awaitable_operators;
    const BootTime until = action.until;
    co_await (fleet_.wait_for_change(until) || wakeup_.wait());
    co_return Result<void>();
}

}  // namespace keyturn
