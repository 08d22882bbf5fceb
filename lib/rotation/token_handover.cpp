#include "rotation/token_handover.hpp"

#include "rotation/adoption.hpp"

namespace keyturn {

namespace {

/// How long the API may go on showing the old token after it took the new secret.
constexpr Milliseconds confirm_deadline = std::chrono::seconds{120};
constexpr Milliseconds confirm_interval = std::chrono::seconds{2};

/// Who sets another secret more often than this after ours is stronger than we are.
constexpr int resends_max = 3;

}  // namespace

Script<bool> TokenHandover::send(bool ask_first) {
    const std::string purpose =
        fmt::format("cannot give the {} secret to Cloudflare", wanted_one());
    bool answered = false;
    for (std::size_t attempt = 0;; ++attempt) {
        if (ask_first) {
            const ReadToken read_token;
            std::string reading =
                fmt::format("cannot tell whether Cloudflare took the {} secret", wanted_one());
            const ReadToken::Value token = co_await insist(read_token, reading);
            // On the way back it shows the old one, too, if it is only behind.
            if (token.holder == ReadToken::Holder::ours && !record_.reverts()) break;
            if (token.holder == ReadToken::Holder::other && !record_.compromised()) {
                co_await adoption_.adopt(token.fingerprint);
                break;
            }
        }
        const CommitSecret commit_secret;
        const auto result = co_await ask(commit_secret);
        if (result) {
            answered = result->token_confirmed;
            taken_at_ = now_;
            break;
        }
        const Error error = result.error();
        if (!passes_by_itself(error.fault) && !ask_first && !record_.compromised()) {
            std::string text = fmt::format("{}: {}", purpose, error.text);
            co_await refuse(std::move(text));
        }
        if (!passes_by_itself(error.fault)) {
            const HoldReason reason = hold_reason_for(error.fault);
            std::string text = fmt::format("{}: {}", purpose, error.text);
            co_await hold(reason, std::move(text));
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
    co_return answered;
}

Script<> TokenHandover::deliver() {
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

Script<> TokenHandover::confirm(bool answered) {
    if (answered) {
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
        if (record_.compromised()) {
            // An answer that is behind, or somebody who puts the old secret back: not to be told
            // apart.
            const bool behind = token.fingerprint == record_.old_fingerprint && now_ < deadline;
            if (!behind || resends_ == 0) {
                co_await send_again();
                deadline = now_ + confirm_deadline;
            }
        } else if (token.holder == ReadToken::Holder::other ||
                   (previous && record_.ends_on_foreign_token())) {
            co_await adoption_.adopt(token.fingerprint);
            co_await deliver();
        } else if (previous && now_ >= deadline) {
            co_await put_back();
        }
        co_await sleep_for(confirm_interval);
    }
}

Script<> TokenHandover::put_back() {
    record_.begin_roll_out_anew();
    co_await save(Phase::commit);  // First: after a crash the token is settled anew.
    const PutBackToken question;
    const std::string_view shown = record_.reverts() ? "new" : "old";
    std::string purpose = fmt::format("cannot put the {} token back into the token file", shown);
    co_await insist(question, purpose);
    say(EventKind::token_put_back, Priority::error,
        fmt::format("Cloudflare shows the {} token of {}: it is back in the token file", shown,
                    inputs_.policy.name));
    const HoldReason reason = HoldReason::secret_not_taken;
    std::string text = fmt::format(
        "Cloudflare accepted the {0} secret and yet shows the {1} token {2} later; the {1} token "
        "is back in the token file; units that were restarted meanwhile have to be restarted "
        "again. "
        "Find out what sets this tunnel's secret (Terraform?), then retry",
        wanted_one(), shown, to_text(confirm_deadline));
    co_await hold(reason, std::move(text));
}

/// Somebody set yet another secret: ours is sent again, the same one.
Script<> TokenHandover::send_again() {
    if (++resends_ > resends_max) {
        resends_ = 0;
        const HoldReason reason = HoldReason::foreign_rotation;
        std::string text =
            "after a compromise Cloudflare goes on showing another secret than ours; find out who "
            "sets it, take their access to the account away, then retry";
        co_await hold(reason, std::move(text));
    }
    const CommitSecret commit_secret;
    std::string purpose = "cannot give the new secret to Cloudflare";
    static_cast<void>(co_await insist(commit_secret, std::move(purpose)));
    say(EventKind::secret_committed, Priority::warning,
        fmt::format("Cloudflare showed another secret of {} than ours: it was given ours again",
                    inputs_.policy.name));
}

Script<> TokenHandover::keep_file() {
    const CheckFiles check_files;
    std::string purpose = "cannot look at the token file";
    const CheckFiles::Value file = co_await insist(check_files, std::move(purpose));
    if (file.fingerprint == record_.new_fingerprint) co_return;
    waited_for_it();
    say(EventKind::token_file_changed, Priority::error,
        fmt::format("The token file of {} was changed by somebody else: it {}, and is written "
                    "again",
                    inputs_.policy.name,
                    file.fingerprint.empty() ? "holds no token" : "holds another token"));
    co_await deliver();
}

}  // namespace keyturn
