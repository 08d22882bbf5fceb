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

/// What a look at an idle tunnel asks for; nothing: all is well, or a person has to see to it.
struct Drift {
    std::optional<RotationRequest> take_over;  ///< Somebody else changed the secret.
    std::optional<RotationRecord> bring_back;  ///< Units have to come back onto the token.
};

/// Watches an idle tunnel: a secret or a token file that somebody else changed, connectors that
/// nothing here accounts for, units on another token, and what would have the next rotation
/// refused. It delivers the API's token where only the file was changed, and restarts nothing.
class DriftWatch {
  public:
    /// All of them outlive it; `state` is kept up to date and saved.
    DriftWatch(const TunnelPolicy& policy, TunnelState& state, RotationExecutor& executor,
               Dependencies world, EventLog& log);

    /// Looks at Cloudflare and at the units. `scheduled`: the tunnel has a schedule, so a wrong
    /// clock of this host is a finding.
    Task<Drift> look(bool scheduled);

    /// Looks at the units alone, without a call to Cloudflare. What it means, a look tells.
    Task<> look_at_units();

    /// After a rotation: who took its new token, and who is left with the old one?
    Task<> look_for_strangers();

    /// A rotation has ended: what it saw is the newest there is.
    void rotation_ended(const HistoryEntry& entry);
    void note_units(std::vector<std::string> names);

    /// The units' names as last seen; before that, as the policy names them.
    [[nodiscard]] const std::vector<std::string>& units() const { return units_; }

    /// Connectors that units told of themselves lately.
    [[nodiscard]] const std::vector<ProvenConnector>& proven() const { return proven_; }
    [[nodiscard]] const Findings& findings() const { return findings_; }
    [[nodiscard]] LookTimes& times() { return times_; }

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
    RotationExecutor& executor_;
    Dependencies world_;
    EventLog& log_;
    LookTimes times_{policy_.drift};
    SeenUnits seen_;
    Findings findings_{policy_};
    std::vector<ProvenConnector> proven_;
    std::vector<std::string> units_;
};

}  // namespace keyturn
