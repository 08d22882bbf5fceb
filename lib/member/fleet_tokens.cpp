#include "member/fleet_tokens.hpp"

#include <fmt/format.h>

#include <utility>

namespace keyturn {

namespace {

PendingTokens copy_of(const PendingTokens& tokens) {
    return PendingTokens{tokens.rotation_id, Secret::copy_of(tokens.new_token.reveal()),
                         Secret::copy_of(tokens.old_token.reveal())};
}

std::string problem_of(const FleetDocument& document) {
    std::string problem;
    for (const auto& [host, member] : document.members) {
        if (member.problem.empty()) continue;
        problem += fmt::format("{}{}: {}", problem.empty() ? "" : "; ", host, member.problem);
    }
    return problem;
}

}  // namespace

Result<void> FleetTokens::take(const FleetDocument& document) {
    change_ = Change();
    delivered_ = document.deliver;
    problem_ = problem_of(document);
    if (!document.sealed) {
        sealed_.reset();
        kept_.reset();
        staged_.reset();
        return {};
    }
    if (sealed_ == document.sealed) return {};
    Result<PendingTokens> tokens = keys_.unseal(document);
    if (!tokens) return tokens.error();
    kept_ = std::move(*tokens);
    sealed_ = document.sealed;
    return {};
}

std::string FleetTokens::path(const std::string& tunnel_name) const {
    return local_.path(tunnel_name);
}

/// The token that every file of the fleet has to hold, if its text is here.
Result<std::optional<Secret>> FleetTokens::current(const std::string& tunnel_name) {
    if (kept_) {
        for (const Secret* text : {&kept_->new_token, &kept_->old_token}) {
            if (fingerprint_of_text(*text) == delivered_) {
                return std::optional<Secret>(Secret::copy_of(text->reveal()));
            }
        }
    }
    Result<std::optional<Secret>> file = local_.current(tunnel_name);
    if (file && *file && fingerprint_of_text(**file) != delivered_) file->reset();
    return file;
}

Result<void> FleetTokens::check(const std::string&) {
    if (problem_.empty()) return {};
    return Error{Fault::denied, problem_, {}};
}

Result<void> FleetTokens::keep_pending(const std::string&, const PendingTokens& tokens) {
    kept_ = copy_of(tokens);
    sealed_.reset();
    change_.kept = true;
    return {};
}

Result<std::optional<PendingTokens>> FleetTokens::pending(const std::string&) {
    if (!kept_) return std::optional<PendingTokens>();
    return std::optional<PendingTokens>(copy_of(*kept_));
}

Result<void> FleetTokens::forget_pending(const std::string&) {
    change_.kept = kept_.has_value();
    kept_.reset();
    staged_.reset();
    return {};
}

/// Each host stages the sealed token by itself.
Result<void> FleetTokens::stage(const std::string&, const std::string& rotation_id,
                                const Secret& token) {
    staged_ = Staged{rotation_id, Secret::copy_of(token.reveal())};
    return {};
}

Result<void> FleetTokens::swap_in(const std::string&, const std::string& rotation_id) {
    if (!staged_ || staged_->rotation_id != rotation_id) {
        return Error{Fault::missing, "no token is staged", {}};
    }
    delivered_ = fingerprint_of_text(staged_->token);
    staged_.reset();
    change_.delivered = true;
    return {};
}

void FleetTokens::sweep(const std::vector<std::string>&) {
    staged_.reset();
}

}  // namespace keyturn
