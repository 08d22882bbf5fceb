// A side story: somebody else changed the tunnel's secret. Theirs is the truth; what we hold is
// dead.

#include "base/invariant.hpp"
#include "policy/expected.hpp"
#include "rotation/asking.hpp"
#include "rotation/health_watch.hpp"
#include "rotation/preflight.hpp"
#include "rotation/rotation.hpp"
#include "schedule/stretch.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn {

namespace {

/// Somebody who rotates this often is in a fight with us (a Terraform run, a second keyturn).
constexpr int adoptions_max = 2;

/// How often the units are looked at until their window opens.
constexpr Milliseconds window_look_interval = std::chrono::seconds{15};

}  // namespace

/// Found out while no rotation was open: every unit runs on a token that opens no new connection.
/// What is restarted is decided by the same rules as in a rotation; no secret is sent.
Script<> Rotation::take_over(bool resumed) {
    if (!resumed) co_await plan_without_judging();
    const ReadToken read_token;
    std::string purpose = "cannot read the tunnel's token from Cloudflare";
    const ReadToken::Value token = co_await insist(read_token, purpose);
    if (!resumed && token.fingerprint == record_.old_fingerprint) {
        std::string text = "Cloudflare holds the delivered token again";
        co_await refuse(std::move(text));
    }
    const bool kept = token.holder == ReadToken::Holder::ours;
    if (kept && token.fingerprint == record_.new_fingerprint) {
        co_await save(Phase::commit);
    } else {
        co_await adopt(token.fingerprint, kept);
    }
    co_await deliver();
    co_await confirm();
    token_confirmed_ = true;
}

/// No refusal here, whatever state the units are in: a token that is not delivered helps nobody.
Script<> Rotation::plan_without_judging() {
    co_await save(Phase::preflight);
    PreflightFacts facts;
    const CheckFiles check_files;
    std::string purpose = "the token file cannot be replaced";
    facts.files = co_await insist(check_files, purpose);
    // The token is dead already: what polkit says about restarts keeps nobody from delivering.
    InspectUnits inspect_units;
    inspect_units.must_know = false;
    purpose = "cannot look at the units";
    InspectUnits::Value inspected = co_await insist(inspect_units, purpose);
    facts.take_units(std::move(inspected));
    SampleUnits sample_units;
    for (const InspectUnits::Unit& unit : facts.units) sample_units.names.push_back(unit.name);
    purpose = "systemd does not answer";
    facts.samples = co_await insist(std::move(sample_units), purpose);
    facts.connectors = co_await list_connectors();
    plan(facts);
}

/// `kept`: it was allowed and kept already, and a crash came before the record knew of it.
Script<> Rotation::adopt(std::string foreign_fingerprint, bool kept) {
    invariant(!record_.compromised, "after a compromise no token but ours is right");
    AdoptToken::Value adopted;
    const RotationRecord before = record_;
    for (;;) {
        if (!kept) co_await allow_adoption(foreign_fingerprint);
        kept = false;
        start_over();
        record_.adopted = true;
        // On the way back the two have changed places; what units ran on at first is rotated away.
        if (record_.reverts()) record_.old_fingerprint = record_.new_fingerprint;
        record_.reverting.clear();
        co_await save(Phase::commit);  // First: once theirs is kept, it looks like ours.
        AdoptToken question;
        question.fingerprint = foreign_fingerprint;
        std::string purpose = "cannot take over the token that somebody else made";
        adopted = co_await insist(std::move(question), std::move(purpose));
        if (adopted.fingerprint == foreign_fingerprint) break;
        if (adopted.fingerprint == record_.new_fingerprint) {
            record_ = before;  // It came back, and the file was not touched.
            co_return;
        }
        foreign_fingerprint = adopted.fingerprint;  // Changed again, meanwhile.
    }
    // One rotation keeps its id, also when its own secrets are wiped already.
    if (record_.rotation_id.empty()) record_.rotation_id = adopted.rotation_id;
    record_.new_fingerprint = adopted.fingerprint;
    say(EventKind::foreign_rotation, Priority::error,
        fmt::format("Somebody else rotated {}: their token {} is taken over", inputs_.policy.name,
                    adopted.fingerprint));
}

/// Holds if a person has to look at who changes the secret, and why.
Script<> Rotation::allow_adoption(std::string foreign_fingerprint) {
    const bool retired =
        std::ranges::find(inputs_.retired, foreign_fingerprint) != inputs_.retired.end();
    if (retired && !inputs_.retried) {
        std::string reason = "retired_secret";
        std::string text = fmt::format(
            "somebody put back a secret that was rotated away (the API shows {}); find out who "
            "(Terraform?), then retry: it is taken over as it is, and you can rotate anew",
            foreign_fingerprint);
        co_await hold(std::move(reason), std::move(text));
    }
    if (++record_.adoptions > adoptions_max) {
        std::string reason = "foreign_rotation";
        std::string text = fmt::format(
            "somebody else keeps changing this tunnel's secret (the API shows {}); find out who "
            "(Cloudflare's audit log, Terraform), then retry",
            foreign_fingerprint);
        co_await hold(std::move(reason), std::move(text));
    }
}

/// The delivered token is another one now: no unit is on it.
void Rotation::start_over() {
    for (UnitProgress& unit : record_.units) {
        unit.invocation_before.clear();
        if (unit.surge) unit.step = UnitStep::listed;
        if (unit.step != UnitStep::listed) unit.step = UnitStep::waiting;
    }
    record_.batch = 0;
}

/// `drift: {restart: never}`: whoever restarts a unit next brings it onto the new token.
bool Rotation::ends_after_delivery() const {
    return record_.takes_over && inputs_.policy.drift.restart == "never";
}

/// When units that nobody has restarted yet may be: now, or when the next window opens that is long
/// enough. A window that never comes is not waited for.
WallTime Rotation::restarts_from() const {
    const bool waits = record_.takes_over && inputs_.policy.drift.restart == "window" &&
                       std::ranges::all_of(record_.units, [](const UnitProgress& unit) {
                           return unit.step == UnitStep::waiting || unit.step == UnitStep::listed;
                       });
    if (!waits) return wall_now_;
    const Milliseconds expected = expected_duration(inputs_.policy.rollout, record_.units.size());
    const auto stretch = next_stretch(inputs_.policy.schedule, wall_now_, expected);
    return stretch ? std::max(stretch->begins, wall_now_) : wall_now_;
}

/// `drift: {restart: window}`: until then the units serve on the connections that they have, and
/// whoever starts one brings it onto the new token. No longer than all of them can.
Script<> Rotation::await_window() {
    HealthWatch health;
    BootTime token_seen = now_;
    for (;;) {
        const WallTime opens = restarts_from();
        if (opens <= wall_now_) break;
        wait_for(fmt::format(
            "the units of {} are on a token that opens no new connection, and are restarted when "
            "its window opens at {}, or as soon as one loses its connections",
            inputs_.policy.name, to_text(opens)));
        const Milliseconds pause = std::min<Milliseconds>(opens - wall_now_, window_look_interval);
        co_await sleep_for(pause);
        if (now_ - token_seen >= inputs_.policy.drift.interval) {
            static_cast<void>(co_await follow_changed_token());
            token_seen = now_;
        }
        const SampleUnits::Value samples = co_await sample();
        const HealthFinding finding = health.look(record_, samples, now_);
        tell_decays(finding);
        if (finding.promoted || waiting_without_connection(samples)) break;
    }
    waited_for_it();
}

}  // namespace keyturn
