#include "rotation/take_over.hpp"

#include "rotation/adoption.hpp"
#include "rotation/preflight.hpp"
#include "rotation/preparation.hpp"
#include "rotation/token_handover.hpp"
#include "rotation/token_watch.hpp"

namespace keyturn {

Script<Ending> TakeOver::tell() {
    const bool resumed = record_.phase != Phase::preflight;
    if (!resumed) co_await plan_without_judging();
    const ReadToken read_token;
    std::string purpose = "cannot read the tunnel's token from Cloudflare";
    const ReadToken::Value token = co_await insist(read_token, purpose);
    if (!resumed && token.fingerprint == record_.old_fingerprint) {
        std::string text = "Cloudflare has the delivered token again";
        co_await refuse(std::move(text));
    }
    const bool kept = token.holder == ReadToken::Holder::ours;
    if (kept && token.fingerprint == record_.new_fingerprint) {
        co_await save(Phase::commit);
    } else {
        co_await adoption_.adopt(token.fingerprint, kept);
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
    const CheckFiles check_files;
    std::string purpose = "the token file cannot be replaced";
    facts.files = co_await insist(check_files, purpose);
    // The old token is already dead, so polkit's answer about restarts must not prevent the
    // delivery.
    InspectUnits inspect_units;
    inspect_units.must_know = false;
    purpose = "cannot inspect the units";
    InspectUnits::Value inspected = co_await insist(inspect_units, purpose);
    facts.take_units(std::move(inspected));
    SampleUnits sample_units;
    for (const InspectUnits::Unit& unit : facts.units) sample_units.names.push_back(unit.name);
    purpose = "systemd does not answer";
    facts.samples = co_await insist(std::move(sample_units), purpose);
    facts.connectors = co_await list_connectors();
    preparation_.plan(facts);
}

}  // namespace keyturn
