// The second chapter: the PATCH, and the new token in every file at once.

#include "base/invariant.hpp"
#include "rotation/asking.hpp"
#include "rotation/rotation.hpp"

#include <fmt/format.h>

#include <utility>

namespace keyturn {

namespace {

/// How long the API may go on showing the old token after it took the new secret.
constexpr Milliseconds confirm_deadline = std::chrono::seconds{120};
constexpr Milliseconds confirm_interval = std::chrono::seconds{2};

}  // namespace

Script<> Rotation::commit(bool resumed) {
    // This one record covers the PATCH and the delivery, so that nothing stands between them.
    if (!resumed) {
        co_await stand_still();
        if (revert_wanted_) co_await obey();
        co_await save(Phase::commit);
    }
    co_await send_secret(resumed);
    co_await deliver();
    // A thief does not stay attached for the sake of an answer that is behind.
    if (record_.compromised && !record_.evicted) co_await evict();
    co_await confirm();
    token_confirmed_ = true;
    token_was_ours_ = true;
}

/// Returns when the API has taken the secret. `ask_first`: a PATCH may have been sent before, so
/// the API is asked whose token it holds; a retry always sends the same secret.
Script<> Rotation::send_secret(bool ask_first) {
    const std::string purpose =
        fmt::format("cannot give the {} secret to Cloudflare", wanted_one());
    for (std::size_t attempt = 0;; ++attempt) {
        if (ask_first) {
            const ReadToken read_token;
            std::string reading =
                fmt::format("cannot tell whether Cloudflare took the {} secret", wanted_one());
            const ReadToken::Value token = co_await insist(read_token, reading);
            // On the way back it shows the old one, too, if it is only behind.
            if (token.holder == ReadToken::Holder::ours && !record_.reverts()) break;
            if (token.holder == ReadToken::Holder::other && !record_.compromised) {
                co_await adopt(token.fingerprint);
                break;
            }
        }
        const CommitSecret commit_secret;
        const auto result = co_await ask(commit_secret);
        if (result) {
            patch_confirmed_ = result->token_confirmed;
            taken_at_ = now_;
            break;
        }
        const Error error = result.error();
        if (!passes_by_itself(error.fault) && !ask_first && !record_.compromised) {
            std::string text = fmt::format("{}: {}", purpose, error.text);
            co_await refuse(std::move(text));
        }
        if (!passes_by_itself(error.fault)) {
            std::string reason{name_of(error.fault)};
            std::string text = fmt::format("{}: {}", purpose, error.text);
            co_await hold(std::move(reason), std::move(text));
        }
        ask_first = true;
        co_await wait_out(error, purpose, attempt);
    }
    waited_enough();
    say(EventKind::secret_committed, Priority::notice,
        record_.reverts()
            ? fmt::format("Cloudflare holds the old secret of {} again", inputs_.policy.name)
            : fmt::format("Cloudflare holds the new secret of {}; the old token opens no new "
                          "connection",
                          inputs_.policy.name));
}

Script<> Rotation::deliver() {
    const DeliverToken question;
    std::string purpose = "cannot replace the token file";
    const DeliverToken::Value delivered = co_await insist(question, purpose);
    if (!record_.committed) record_.committed = wall_now_;
    std::string window;
    if (delivered.since_commit) {
        window = fmt::format(", {} us after Cloudflare's answer", delivered.since_commit->count());
    }
    say(EventKind::token_delivered, Priority::notice,
        fmt::format("The token file of {} holds the {} token{}", inputs_.policy.name, wanted_one(),
                    window));
}

/// Nothing is restarted before the API itself shows the token that was delivered. A PATCH answer
/// that carried it counts, when the API goes down right after.
Script<> Rotation::confirm() {
    if (patch_confirmed_) {
        const ReadToken read_token;
        const auto token = co_await ask(read_token);
        if (!token && passes_by_itself(token.error().fault)) co_return;
        if (token && token->holder == ReadToken::Holder::ours) co_return;
    }
    BootTime deadline = now_ + confirm_deadline;
    for (;;) {
        const std::size_t waits = waits_;
        const ReadToken read_token;
        std::string purpose =
            fmt::format("cannot read back the {} token from Cloudflare", wanted_one());
        const ReadToken::Value token = co_await insist(read_token, purpose);
        if (token.holder == ReadToken::Holder::ours) co_return;
        if (waits_ != waits) deadline = now_ + confirm_deadline;  // An outage proves nothing.
        const bool previous = token.holder == ReadToken::Holder::previous;
        if (record_.compromised) {
            // An answer that is behind, or somebody who puts the old secret back: not to be told
            // apart.
            const bool behind = token.fingerprint == record_.old_fingerprint && now_ < deadline;
            if (!behind || resends_ == 0) {
                co_await send_again();
                deadline = now_ + confirm_deadline;
            }
        } else if (token.holder == ReadToken::Holder::other ||
                   (previous && record_.ends_on_foreign_token())) {
            co_await adopt(token.fingerprint);
            co_await deliver();
        } else if (previous && now_ >= deadline) {
            co_await put_back();
        }
        co_await sleep_for(confirm_interval);
    }
}

/// Before each batch. False when it is not: the token of now has been delivered and confirmed, and
/// no unit is on it.
Script<bool> Rotation::token_is_still_ours() {
    if (std::exchange(token_confirmed_, false)) co_return true;
    const ReadToken read_token;
    std::string purpose = "cannot tell whether the delivered token is still right";
    const ReadToken::Value token = co_await insist(read_token, purpose);
    if (token.holder == ReadToken::Holder::ours) {
        token_was_ours_ = true;
        co_return true;
    }
    co_await follow_token();
    co_return false;
}

/// For a unit that does not come right: maybe nothing is wrong with it, and its token is dead; then
/// true, and everything is to be rolled again. An API that does not answer says nothing.
Script<bool> Rotation::follow_changed_token() {
    const ReadToken read_token;
    const auto token = co_await ask(read_token);
    if (!token || token->holder == ReadToken::Holder::ours) co_return false;
    co_await follow_token();
    co_return true;
}

/// Delivers and confirms the token that the API holds by now, and begins the roll-out again. Where
/// it has not been ours since this keyturnd was started, the record may be an older one again: then
/// it is not known on what its units were started since, nor by whom.
Script<> Rotation::follow_token() {
    waited_for_it();
    patch_confirmed_ = false;
    if (record_.compromised && !token_was_ours_) start_over();
    co_await confirm();
    token_was_ours_ = true;
    co_await save(Phase::roll);
    all_over_again_ = true;
}

Script<> Rotation::put_back() {
    start_over();
    co_await save(Phase::commit);  // First: after a crash the token is settled anew.
    const PutBackToken question;
    const std::string_view shown = record_.reverts() ? "new" : "old";
    std::string purpose = fmt::format("cannot put the {} token back into the token file", shown);
    co_await insist(question, purpose);
    say(EventKind::token_put_back, Priority::error,
        fmt::format("Cloudflare shows the {} token of {}: it is back in the token file", shown,
                    inputs_.policy.name));
    std::string reason = "secret_not_taken";
    std::string text = fmt::format(
        "Cloudflare accepted the {0} secret and yet shows the {1} token {2} later; the {1} token "
        "is back in the token file; units that were restarted meanwhile have to be restarted "
        "again. "
        "Find out what sets this tunnel's secret (Terraform?), then retry",
        wanted_one(), shown, to_text(confirm_deadline));
    co_await hold(std::move(reason), std::move(text));
}

}  // namespace keyturn
