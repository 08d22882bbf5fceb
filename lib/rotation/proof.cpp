#include "rotation/proof.hpp"

#include "model/unit_command.hpp"
#include "rotation/attached.hpp"
#include "rotation/token_watch.hpp"
#include "rotation/unit_verifier.hpp"

namespace keyturn {

namespace {

/// How often a restarted unit is checked: often while it starts, then less often. The other units
/// are checked less often from the beginning.
constexpr Milliseconds quick_look = Milliseconds{200};
constexpr Milliseconds slow_look = std::chrono::seconds{1};
constexpr Milliseconds quick_phase = std::chrono::seconds{15};

/// A unit that is starting cannot be asked for a moment. Only after this is that reported.
constexpr Milliseconds unknown_patience = std::chrono::seconds{10};

/// How often a unit's process may be replaced during a rotation before that is a failure.
constexpr int replacements_max = 3;

}  // namespace

Script<> Proof::prove(std::size_t index) {
    UnitVerifier verifier(record_.units[index], inputs_.policy, now_);
    std::size_t waits = waits_;
    Milliseconds pause = quick_look;
    BootTime looked = now_;
    std::optional<BootTime> listed_at;
    bool everyone = true;
    BootTime looked_at_everyone = now_;
    begin_step(verifier.allowed());
    for (;;) {
        const SampleUnits::Sample own = co_await look(index, everyone);
        // The bus was down, or this process was stopped, so nothing was seen.
        const bool blind = waits_ != waits || now_ - looked > pause + blind_max;
        if (blind) verifier.begin_anew(now_);
        waits = waits_;
        looked = now_;
        verifier.look(own, now_);
        tell_unknown(index, verifier);
        if (everyone) looked_at_everyone = now_;
        // The server of another unit may answer for this one, which only a look at both shows.
        if (!everyone && (verifier.steady() || verifier.hopeless())) {
            everyone = true;
            continue;
        }
        // At the deadline the API is always asked, so that no verdict is based on an older answer.
        const bool ask_again = !listed_at || verifier.late() || now_ - *listed_at >= list_interval;
        if (verifier.steady() && ask_again) {
            const Listing listing = co_await listing_of(own.readiness->connector_id);
            listed_at = now_;
            const bool listed = listing == Listing::listed;
            if (listed || (listing == Listing::unknown && verifier.late())) {
                note_proof(index, own, listed ? "systemd, ready, api" : "systemd, ready");
                break;
            }
            if (listing == Listing::absent) verifier.note("Cloudflare does not list its connector");
        }
        if (record_.compromised() && verifier.unknown_for() >= verifier.allowed()) {
            note_proof(index, own, "systemd");
            break;
        }
        if (verifier.hopeless()) {
            const bool followed = co_await token_.follow_if_changed();
            if (followed) co_await start_over();
            co_await hold_for_failure(index, verifier);
        }
        pause = verifier.elapsed() < quick_phase ? quick_look : slow_look;
        co_await sleep_for(pause);
        everyone = verifier.steady() || own.unknown() || now_ - looked_at_everyone >= slow_look;
    }
    end_step();
    waited_for_it();
    tell_proof(index, verifier);
    co_await save(Phase::roll);
}

Script<SampleUnits::Sample> Proof::look(std::size_t index, bool everyone) {
    if (!everyone) co_return co_await sample_one(index);
    const SampleUnits::Value samples = co_await sample();
    co_return samples[index];
}

void Proof::tell_unknown(std::size_t index, const UnitVerifier& verifier) {
    if (verifier.unknown_for() >= unknown_patience) {
        wait_for(fmt::format("{} is {}", record_.units[index].name, verifier.seen()));
    } else {
        waited_for_it();
    }
}

void Proof::note_proof(std::size_t index, const SampleUnits::Sample& own, std::string verified_by) {
    UnitProgress& unit = record_.units[index];
    unit.connector_after = own.readiness ? own.readiness->connector_id : "";
    unit.invocation_after = own.state.invocation;
    unit.verified_by = std::move(verified_by);
    unit.step = UnitStep::verified;
    unit.dropped = false;
}

void Proof::tell_proof(std::size_t index, const UnitVerifier& verifier) {
    const UnitProgress& unit = record_.units[index];
    const bool doubtful = verifier.short_of_connections() || unit.connector_after.empty();
    say(EventKind::unit_verified, doubtful ? Priority::warning : Priority::notice,
        fmt::format("{} {} with the {} token: {} (verified by {})", unit.name,
                    unit.connector_after.empty() ? "runs" : "serves", wanted_one(), verifier.seen(),
                    unit.verified_by),
        unit.name, "verified");
}

/// Holds for a unit that did not come back, or that a person stopped.
Never Proof::hold_for_failure(std::size_t index, const UnitVerifier& verifier) {
    const std::string name = record_.units[index].name;
    if (verifier.was_stopped()) {
        return hold(HoldReason::operator_took_over,
                    fmt::format("somebody stopped {} while keyturnd was verifying it; start it, or "
                                "retry to leave it stopped",
                                name),
                    name);
    }
    return hold(HoldReason::verification_failed,
                fmt::format("{0} did not come back with the {1} token: {2} after {3} ({4} "
                            "-n 20)",
                            name, wanted_one(), verifier.seen(), to_text(verifier.elapsed()),
                            unit_command("journalctl -u", name)),
                name);
}

Script<> Proof::prove_replacement(std::string unit) {
    say(EventKind::soak_restarted, Priority::warning,
        fmt::format("Somebody else restarted {}: keyturnd verifies it again, and the soak of {} "
                    "starts over",
                    unit, inputs_.policy.name),
        unit);
    if (++replacements_[unit] > replacements_max) {
        std::string text = fmt::format("{} keeps being restarted after it was verified", unit);
        co_await hold(HoldReason::verification_failed, std::move(text), unit);
    }
    const std::size_t index = record_.index_of(unit);
    record_.units[index].step = UnitStep::restarting;
    record_.units[index].connector_before = record_.units[index].connector_after;
    co_await prove(index);
}

Script<Proof::Listing> Proof::listing_of(std::string connector) {
    const auto listed = co_await ask<ListConnectors>();
    if (!listed) co_return Listing::unknown;
    co_return lists(*listed, connector) ? Listing::listed : Listing::absent;
}

}  // namespace keyturn
