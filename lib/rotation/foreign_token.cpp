#include "rotation/foreign_token.hpp"

#include <algorithm>

namespace keyturn {

namespace {

/// Somebody who rotates more often than this competes with us (a Terraform run, a second keyturn).
constexpr int take_overs_max = 2;

}  // namespace

Script<> ForeignToken::take_over(std::string foreign_fingerprint, bool kept) {
    invariant(!record_.compromised(), "after a compromise only our own token is right");
    KeepToken::Value found;
    const RotationRecord before = record_;
    for (;;) {
        if (!kept) co_await allow(foreign_fingerprint);
        kept = false;
        record_.begin_roll_out_anew();
        record_.foreign = true;
        // In a revert the two tokens have changed places; the one that units first ran on is
        // rotated away.
        if (record_.reverts()) record_.old_fingerprint = record_.new_fingerprint;
        record_.reverting.clear();
        // Saved first, because once kept, their token looks like ours.
        co_await save(Phase::commit);
        KeepToken question;
        question.fingerprint = foreign_fingerprint;
        found = co_await insist(std::move(question), "cannot take over somebody else's token");
        if (found.fingerprint == foreign_fingerprint) break;
        if (found.fingerprint == record_.new_fingerprint) {
            record_ = before;  // The delivered token is back, and the file was not touched.
            co_return;
        }
        foreign_fingerprint = found.fingerprint;  // The token has changed again.
    }
    // A rotation keeps its id even if its own secrets are already wiped.
    if (record_.rotation_id.empty()) record_.rotation_id = found.rotation_id;
    record_.new_fingerprint = found.fingerprint;
    say(EventKind::foreign_rotation, Priority::error,
        fmt::format("Somebody else rotated {}: keyturnd takes over their token {}",
                    inputs_.policy.name, found.fingerprint));
}

Script<> ForeignToken::allow(std::string foreign_fingerprint) {
    const bool retired =
        std::ranges::find(inputs_.retired, foreign_fingerprint) != inputs_.retired.end();
    if (retired && !inputs_.retried) {
        std::string text = fmt::format(
            "somebody restored a secret that was rotated away (the API shows {}); find out who "
            "(Terraform?), then retry: keyturnd takes it over as it is, and you can rotate again",
            foreign_fingerprint);
        co_await hold(HoldReason::retired_secret, std::move(text));
    }
    if (++record_.take_overs > take_overs_max) {
        std::string text = fmt::format(
            "somebody else keeps changing this tunnel's secret (the API shows {}); find out who "
            "(Cloudflare's audit log, Terraform), then retry",
            foreign_fingerprint);
        co_await hold(HoldReason::foreign_rotation, std::move(text));
    }
}

}  // namespace keyturn
