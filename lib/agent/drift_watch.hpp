#pragma once

#include "agent/findings.hpp"
#include "agent/look_times.hpp"
#include "agent/seen_units.hpp"
#include "asio/task.hpp"
#include "base/result.hpp"
#include "executor/rotation_executor.hpp"
#include "rotation/attached.hpp"
#include "rotation/preflight.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keyturn {

class EventLog;

/// The rotation that a check of an idle tunnel asks for. Both are empty if all is well, or if only
/// a person can fix what is wrong.
struct Drift {
    std::optional<RotationRequest> take_over;  ///< Somebody else changed the secret.
    std::optional<RotationRecord> bring_back;  ///< Units do not run on the delivered token.
};

/// Watches an idle tunnel. It notices a secret or a token file that somebody else changed, unknown
/// connectors, units that run on another token, and problems that would make keyturnd refuse the
/// next rotation. If only the token file was changed, it writes the API's token again. It restarts
/// nothing.
class DriftWatch {
  public:
    /// All of them must outlive the watch. It keeps `state` up to date and saves it.
    DriftWatch(const TunnelPolicy& policy, TunnelState& state, Executor& executor,
               Dependencies world, EventLog& log);

    /// Checks Cloudflare and the units. `scheduled` means that the tunnel has a schedule; then a
    /// wrong clock of this host is a finding.
    Task<Drift> look(bool scheduled);

    /// Checks only the units, without a call to Cloudflare. If something has changed, it makes a
    /// full check due soon.
    Task<> look_at_units();

    /// Looks for unknown connectors after a rotation: some may have taken the new token, others may
    /// still hold the old one.
    Task<> look_for_strangers();

    /// Takes over what a finished rotation has learned about the units.
    void rotation_ended(const HistoryEntry& entry);

    /// A rotation has ended whose preflight found nothing wrong, so what was wrong before is over.
    void preflight_passed();
    void note_units(std::vector<std::string> names);

    /// Returns the names of the units as last seen, or as the policy lists them before the first
    /// check.
    [[nodiscard]] const std::vector<std::string>& units() const { return units_; }

    /// Returns the connectors that the units have lately reported as their own.
    [[nodiscard]] const std::vector<ProvenConnector>& proven() const { return proven_; }
    [[nodiscard]] const Findings& findings() const { return findings_; }
    [[nodiscard]] LookTimes& times() { return times_; }

    /// The units as last seen, for the status; a rotation sees them, too.
    [[nodiscard]] const SampleUnits::Value& samples() const { return samples_; }
    void note_samples(SampleUnits::Value samples) { samples_ = std::move(samples); }
    [[nodiscard]] TokenChecks& checks() { return checks_; }
    [[nodiscard]] const TokenChecks& checks() const { return checks_; }

  private:
    Task<Result<Drift>> look_at_all(bool scheduled);
    Task<Result<bool>> restore_token_file(Fingerprint api, Fingerprint file);
    Task<Result<void>> see_units(PreflightFacts& facts);
    [[nodiscard]] std::vector<Connector> take_foreign(PreflightFacts& facts) const;
    void correct_dates(Milliseconds clock_ahead);
    void note_token(const Fingerprint& delivered, const SampleUnits::Value& samples,
                    bool unchanged);
    void suspect_unknown(std::vector<std::string>& unknown);
    void note_foreign(PreflightFacts& facts);
    void note_problems(bool scheduled, const PreflightFacts& facts,
                       std::vector<std::string> problems);
    [[nodiscard]] std::optional<RotationRecord> act_on_outdated(const PreflightFacts& facts);
    void save();
    void record_events();

    const TunnelPolicy& policy_;
    TunnelState& state_;
    Executor& executor_;
    Dependencies world_;
    EventLog& log_;
    LookTimes times_{policy_.drift};
    SeenUnits seen_;
    SampleUnits::Value samples_;
    TokenChecks checks_;
    Findings findings_{policy_};
    std::vector<ProvenConnector> proven_;
    std::vector<std::string> units_;
};

}  // namespace keyturn
