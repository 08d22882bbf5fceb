#include "rotation/token_handover.hpp"

#include "rotation/foreign_token.hpp"

namespace keyturn {

namespace {

/// How long the API may keep showing the old token after it accepted the new secret.
constexpr Milliseconds confirm_deadline = std::chrono::seconds{120};
constexpr Milliseconds confirm_interval = std::chrono::seconds{2};

/// If somebody sets another secret more often than this after ours, keyturnd stops competing.
constexpr int resends_max = 3;

}  // namespace

Script<bool> TokenHandover::send(bool ask_first) {
    const std::string purpose =
        fmt::format("cannot send the {} secret to Cloudflare", wanted_one());
    bool answered = false;
    for (std::size_t attempt = 0;; ++attempt) {
        if (ask_first) {
            std::string reading = fmt::format(
                "cannot find out whether Cloudflare accepted the {} secret", wanted_one());
            const ReadToken::Value token = co_await insist<ReadToken>(std::move(reading));
            // In a revert, an API that is only behind also shows the old token.
            if (token.holder == ReadToken::Holder::ours && !record_.reverts()) break;
            if (token.holder == ReadToken::Holder::other && !record_.compromised()) {
                co_await foreign_.take_over(token.fingerprint);
                break;
            }
        }
        const auto result = co_await ask<CommitSecret>();
        if (result) {
            answered = result->token_confirmed;
            taken_at_ = now_;
            break;
        }
        const Error error = result.error();
        if (!passes_by_itself(error.fault)) {
            std::string text = fmt::format("{}: {}", purpose, error.text);
            const bool untouched = !ask_first && !record_.compromised();
            if (untouched) co_await refuse(std::move(text));
            co_await hold(hold_reason_for(error.fault), std::move(text));
        }
        ask_first = true;
        co_await wait_out(error, purpose, attempt);
    }
    waited_enough();
    say(EventKind::secret_committed, Priority::notice,
        record_.reverts()
            ? fmt::format("Cloudflare has the old secret of {} again", inputs_.policy.name)
            : fmt::format(
                  "Cloudflare has the new secret of {}; the old token opens no new connection",
                  inputs_.policy.name));
    co_return answered;
}

Script<> TokenHandover::deliver() {
    const DeliverToken::Value delivered =
        co_await insist<DeliverToken>("cannot replace the token file");
    if (!record_.committed && !record_.keeps_token()) record_.committed = wall_now_;
    std::string window;
    if (delivered.since_commit) {
        window = fmt::format(", {} us after Cloudflare's answer", delivered.since_commit->count());
    }
    say(EventKind::token_delivered, Priority::notice,
        fmt::format("The token file of {} contains the {} token{}", inputs_.policy.name,
                    wanted_one(), window));
}

Script<> TokenHandover::confirm(bool answered) {
    if (answered) {
        const auto token = co_await ask<ReadToken>();
        if (!token && passes_by_itself(token.error().fault)) co_return;
        if (token && token->holder == ReadToken::Holder::ours) co_return;
    }
    BootTime deadline = now_ + confirm_deadline;
    for (;;) {
        const std::size_t waits = waits_;
        std::string purpose =
            fmt::format("cannot read back the {} token from Cloudflare", wanted_one());
        const ReadToken::Value token = co_await insist<ReadToken>(std::move(purpose));
        if (token.holder == ReadToken::Holder::ours) co_return;
        if (waits_ != waits) deadline = now_ + confirm_deadline;  // An outage proves nothing.
        const bool previous = token.holder == ReadToken::Holder::previous;
        if (record_.compromised()) {
            // This is either an outdated answer or somebody who restored the old secret. The two
            // look the same.
            const bool behind = token.fingerprint == record_.old_fingerprint && now_ < deadline;
            if (!behind || resends_ == 0) {
                co_await send_again();
                deadline = now_ + confirm_deadline;
            }
        } else if (token.holder == ReadToken::Holder::other ||
                   (previous && (record_.ends_on_foreign_token() || record_.keeps_token()))) {
            co_await foreign_.take_over(token.fingerprint);
            co_await deliver();
        } else if (previous && now_ >= deadline) {
            co_await put_back();
        }
        co_await sleep_for(confirm_interval);
    }
}

Script<> TokenHandover::put_back() {
    record_.begin_roll_out_anew();
    co_await save(Phase::commit);  // First, so that after a crash the token is settled again.
    const std::string_view shown = record_.reverts() ? "new" : "old";
    std::string purpose = fmt::format("cannot put the {} token back into the token file", shown);
    co_await insist<PutBackToken>(std::move(purpose));
    say(EventKind::token_put_back, Priority::error,
        fmt::format("Cloudflare shows the {} token of {}: keyturnd put it back into the token file",
                    shown, inputs_.policy.name));
    std::string text = fmt::format(
        "Cloudflare accepted the {0} secret but still shows the {1} token {2} later; the {1} token "
        "is back in the token file; units that were restarted meanwhile must be restarted again. "
        "Find out what sets this tunnel's secret (Terraform?), then retry",
        wanted_one(), shown, to_text(confirm_deadline));
    co_await hold(HoldReason::secret_not_taken, std::move(text));
}

/// Somebody set yet another secret, so the same secret of ours is sent again.
Script<> TokenHandover::send_again() {
    if (++resends_ > resends_max) {
        resends_ = 0;
        co_await hold(
            HoldReason::foreign_rotation,
            "after a compromise, Cloudflare keeps showing another secret than ours; find out who "
            "sets it, remove their access to the account, then retry");
    }
    static_cast<void>(co_await insist<CommitSecret>("cannot send the new secret to Cloudflare"));
    say(EventKind::secret_committed, Priority::warning,
        fmt::format("Cloudflare showed another secret of {} than ours: keyturnd sent ours again",
                    inputs_.policy.name));
}

Script<> TokenHandover::keep_file() {
    const CheckFiles::Value file = co_await insist<CheckFiles>("cannot check the token file");
    if (file.fingerprint == record_.new_fingerprint) co_return;
    waited_for_it();
    say(EventKind::token_file_changed, Priority::error,
        fmt::format("Somebody else changed the token file of {}: it {}; keyturnd writes it again",
                    inputs_.policy.name,
                    file.fingerprint.empty() ? "contains no token" : "contains another token"));
    co_await deliver();
}

}  // namespace keyturn
