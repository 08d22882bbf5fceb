#include "rotation/conclusion.hpp"

#include "rotation/lock_out_proof.hpp"

#include <algorithm>

namespace keyturn {

namespace {

std::string_view what_became_of_it(const RotationRecord& record) {
    if (record.ends_on_foreign_token()) return "taken over";
    return record.reverts() ? "reverted to the old one" : "rotated";
}

}  // namespace

Script<Ending> Conclusion::conclude() {
    co_await insist<ForgetSecrets>("cannot wipe the kept secrets");
    HistoryEntry entry;
    entry.rotation_id = record_.rotation_id;
    if (record_.reverts()) entry.outcome = Outcome::reverted;
    if (record_.ends_on_foreign_token()) entry.outcome = Outcome::taken_over;
    entry.text = closing_sentence();
    entry.old_fingerprint = record_.old_fingerprint;
    entry.new_fingerprint = record_.new_fingerprint;
    entry.units = record_.units;
    std::string text = entry.text;
    co_await write(std::move(entry));
    say(EventKind::rotation_done, Priority::notice, text, {}, "done");
    view_.reason = std::move(text);
    view_.state = RotationState::done;
    co_return Ending();
}

Script<Ending> Conclusion::refuse(std::string text) {
    // Once the secrets are gone, a record in a later phase would treat the API's token as somebody
    // else's, and a record without the refusal would lead to another secret.
    record_.refusal = text;
    co_await save(Phase::preflight);
    say(EventKind::rotation_refused, Priority::error,
        fmt::format("The rotation of {} is refused and nothing was changed: {}",
                    inputs_.policy.name, text),
        {}, "refused");
    co_await insist<ForgetSecrets>("cannot wipe the kept secrets");
    HistoryEntry entry;
    entry.outcome = Outcome::refused;
    entry.text = text;
    co_await write(std::move(entry));
    view_.reason = text;
    view_.state = RotationState::refused;
    co_return Ending();
}

/// Writes this entry of the history, with what every entry has.
Script<> Conclusion::write(HistoryEntry entry) {
    entry.trigger = record_.request.trigger;
    entry.started = record_.started;
    entry.ended = wall_now_;
    Conclude question{std::move(entry)};
    co_await insist(std::move(question), "cannot write the history");
}

std::string Conclusion::closing_sentence() const {
    const auto verified =
        std::ranges::count(record_.units, UnitStep::verified, &UnitProgress::step);
    if (ends_after_delivery()) {
        return fmt::format(
            "The token {} that somebody else set for {} is delivered; because of `drift: "
            "{{restart: never}}`, you have to restart the units yourself",
            record_.new_fingerprint, inputs_.policy.name);
    }
    std::string text =
        fmt::format("The token of {} is {}: {} units serve with {}", inputs_.policy.name,
                    what_became_of_it(record_), verified, record_.new_fingerprint);
    // The wall clock may have been set back in the meantime.
    const Milliseconds took = wall_now_ - record_.started;
    if (took >= Milliseconds{0}) text += fmt::format(", after {}", to_text(took));
    if (record_.reverts()) text += ". Why: " + record_.reverting;
    if (record_.compromised())
        text += ". " + lock_out_sentence(inputs_.policy.name, view_.lock_out);
    return text;
}

}  // namespace keyturn
