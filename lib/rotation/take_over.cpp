#include "rotation/take_over.hpp"

#include "rotation/foreign_token.hpp"
#include "rotation/preflight.hpp"
#include "rotation/preparation.hpp"
#include "rotation/token_handover.hpp"
#include "rotation/token_watch.hpp"

namespace keyturn {

Script<Ending> TakeOver::tell() {
    const bool resumed = record_.phase != Phase::preflight;
    if (!resumed) co_await plan_without_judging();
    const ReadToken::Value token =
        co_await insist<ReadToken>("cannot read the tunnel's token from Cloudflare");
    if (!resumed && token.fingerprint == record_.old_fingerprint) {
        co_await refuse("Cloudflare has the delivered token again");
    }
    const bool kept = token.holder == ReadToken::Holder::ours;
    if (kept && token.fingerprint == record_.new_fingerprint) {
        co_await save(Phase::commit);
    } else {
        co_await foreign_.take_over(token.fingerprint, kept);
    }
    co_await handover_.deliver();
    co_await handover_.confirm(false);
    token_.note_confirmed();
    co_return Ending::go_on(ChapterName::window);
}

/// Refuses nothing, whatever state the units are in, because a token that is not delivered helps
/// nobody.
Script<> TakeOver::plan_without_judging() {
    co_await save(Phase::preflight);
    PreflightFacts facts;
    facts.files = co_await insist<CheckFiles>("the token file cannot be replaced");
    // The old token is already dead, so polkit's answer about restarts must not prevent the
    // delivery.
    const InspectUnits inspect_units{.must_know = false};
    InspectUnits::Value inspected = co_await insist(inspect_units, "cannot inspect the units");
    facts.take_units(std::move(inspected));
    SampleUnits sample_units;
    for (const InspectUnits::Unit& unit : facts.units) sample_units.names.push_back(unit.name);
    facts.samples = co_await insist(std::move(sample_units), "systemd does not answer");
    facts.connectors = co_await list_connectors();
    preparation_.plan(facts);
}

}  // namespace keyturn
