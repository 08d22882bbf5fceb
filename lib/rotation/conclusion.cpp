#include "rotation/conclusion.hpp"

#include "base/counted.hpp"
#include "rotation/lock_out_proof.hpp"

#include <fmt/ranges.h>

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
    entry.outcome = outcome();
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
        fmt::format("The rotation of {} is refused and {}: {}", inputs_.policy.name,
                    record_.keeps_token() ? "no unit was restarted" : "nothing was changed", text),
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
    if (ends_after_delivery()) {
        return fmt::format(
            "The token {} that somebody else set for {} is delivered; because of `drift: "
            "{{restart: never}}`, you have to restart the units yourself",
            record_.new_fingerprint, inputs_.policy.name);
    }
    std::string text = record_.keeps_token() ? result_of_move() : result_of_rotation();
    // The wall clock may have been set back in the meantime.
    const Milliseconds took = wall_now_ - record_.started;
    if (took >= Milliseconds{0}) text += fmt::format(", after {}", to_text(took));
    if (record_.reverts()) text += ". Why: " + record_.reverting;
    if (record_.compromised())
        text += ". " + lock_out_sentence(inputs_.policy.name, view_.lock_out);
    return text;
}

std::string Conclusion::result_of_rotation() const {
    const auto verified =
        std::ranges::count(record_.units, UnitStep::verified, &UnitProgress::step);
    return fmt::format("The token of {} is {}: {} with {}", inputs_.policy.name,
                       what_became_of_it(record_), counted(verified, "unit serves", "units serve"),
                       record_.new_fingerprint);
}

/// "The units of web now take their token from keyturn's file: 2 units serve with FINGERPRINT"
std::string Conclusion::result_of_move() const {
    std::vector<std::string> moved;
    std::size_t own = 0;
    std::size_t verified = 0;
    for (const UnitProgress& unit : record_.units) {
        if (!unit.surge) ++own;
        if (unit.surge || !record_.request.moves(unit.name)) continue;
        moved.push_back(unit.name);
        if (unit.step == UnitStep::verified) ++verified;
    }
    const bool onto_our_file = record_.request.kind == RotationKind::adopt;
    const bool one = moved.size() == 1;
    std::string what =
        fmt::format("{} {} token from keyturn's file", onto_our_file ? "now" : "no longer",
                    one ? "takes its" : "take their");
    if (record_.reverts()) what = one ? "runs as before" : "run as before";
    std::string subject = fmt::format("{}", fmt::join(moved, ", "));
    if (moved.size() == own) subject = one ? "The unit" : "The units";
    return fmt::format("{} of {} {}: {} with {}", subject, inputs_.policy.name, what,
                       counted(verified, "unit serves", "units serve"), record_.new_fingerprint);
}

Outcome Conclusion::outcome() const {
    if (record_.reverts()) return Outcome::reverted;
    if (record_.ends_on_foreign_token()) return Outcome::taken_over;
    switch (record_.request.kind) {
        case RotationKind::adopt: return Outcome::adopted;
        case RotationKind::release: return Outcome::released;
        case RotationKind::routine:
        case RotationKind::takeover:
        case RotationKind::compromise: break;
    }
    return Outcome::done;
}

}  // namespace keyturn
