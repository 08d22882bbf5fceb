#pragma once

#include "cloudflare/tunnel_api.hpp"
#include "cloudflared/connectors.hpp"
#include "fakes/simulated_clock.hpp"
#include "policy/policy.hpp"
#include "token/token.hpp"
#include "units/unit_manager.hpp"

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace keyturn {

/// One tunnel at Cloudflare and the connectors of this host, for tests that use the real shell, the
/// real token files and the real state. Units read the token file when they start, and the edge
/// lets them connect only with the secret that the API has.
class FakeHost : public TunnelApi, public UnitManager, public Connectors {
  public:
    struct Unit {
        UnitState state;
        std::string connector;
        BootTime started{};
        std::string token;  ///< The token that it read when it started.
        bool connected = false;
        bool ignores_starts = false;  ///< A restart leaves it failed.
        int restarts = 0;
        std::optional<UnitSettings> settings;  ///< Replaces the settings of a correct unit.
        std::optional<Error> unready;          ///< The error when it is asked for its readiness.
        Milliseconds ready_takes{0};           ///< How long it takes to answer /ready.
    };

    /// `token_file` is the file that the units read at each start.
    FakeHost(SimulatedClock& clock, const TunnelPolicy& policy, std::string token_file);

    void start_units();

    /// Does what `systemctl restart` does, or systemd with a failed unit.
    void restart_by_hand(Unit& unit) { start(unit); }

    /// Sets a secret that is not ours: this letter, 32 times. The initial secret consists of 'o'.
    void rotate_by_somebody_else(char letter);

    /// Makes the API have this secret, in base64.
    void hold_secret(std::string_view text);

    // TunnelApi
    Task<Result<TunnelFacts>> get_tunnel(TunnelRef tunnel) override;
    Task<Result<TokenAnswer>> get_token(TunnelRef tunnel) override;
    Task<Result<std::optional<Secret>>> patch_secret(TunnelRef tunnel,
                                                     const Secret& secret) override;
    Task<Result<std::vector<Connector>>> list_connectors(TunnelRef tunnel) override;
    Task<Result<void>> evict(TunnelRef tunnel, std::string connector) override;
    void close_idle() override { ++rests; }

    // UnitManager
    Task<Result<std::vector<NamedUnit>>> expand(std::vector<std::string> patterns) override;
    Task<Result<UnitState>> state(std::string unit) override;
    Task<Result<UnitSettings>> settings(std::string unit) override;
    Task<Result<Permission>> may(std::string unit, UnitVerb verb) override;
    Task<Result<RestartResult>> restart(std::string unit, RestartVerb verb,
                                        Milliseconds deadline) override;
    Task<Result<JobResult>> stop(std::string unit, Milliseconds deadline) override;

    // Connectors
    Task<Result<Readiness>> readiness(UnitState unit) override;
    ConnectorFiles files(const UnitSettings& settings) override { return files_of[settings.name]; }

    [[nodiscard]] std::string api_token_text() const;

    std::map<std::string, Unit> units;
    std::string address = "192.0.2.1";                      ///< Of the connectors of this host.
    std::map<std::string, ConnectorFiles> files_of;         ///< By unit.
    std::map<std::string, std::vector<std::string>> globs;  ///< The units that each glob matches.
    std::vector<Connector> strangers;                       ///< Listed in addition to our own.
    std::optional<Error> api_down;               ///< Every call of the API fails with this.
    std::vector<std::string> evicted;            ///< Connectors; "" stands for all of them.
    std::optional<std::string> api_token_shown;  ///< GET token returns this instead.
    std::function<void(std::string_view secret)> on_patch;  ///< Called right after it was applied.
    std::set<Fingerprint> secrets_sent;                     ///< Distinct ones.
    int rests = 0;
    int next_id = 1;  ///< Numbers processes and connectors; several hosts begin with others.
    std::map<std::string, std::string> aliases;     ///< Name -> unit.
    std::map<std::string, Permission> permissions;  ///< By unit; granted by default.
    std::optional<Error> polkit_gone;               ///< polkit does not answer.
    std::vector<std::pair<std::string, UnitVerb>> questions;

  private:
    void start(Unit& unit);

    SimulatedClock& clock_;
    TunnelPolicy policy_;
    std::string token_file_;
    TunnelToken current_;
};

}  // namespace keyturn
