#pragma once

#include "model/connector.hpp"
#include "model/unit_state.hpp"
#include "simulation/fleet/world.hpp"
#include "token/token.hpp"

#include <optional>
#include <string>
#include <vector>

namespace keyturn::fleet_simulation {

class CloudModel;
class Host;

/// One cloudflared under systemd. It reads the token file of its host when it starts. Its
/// connections live on when the token changes, but do not come back then.
class UnitModel {
  public:
    UnitModel(Host& host, std::string name) : host_(host), name_(std::move(name)) {}
    UnitModel(const UnitModel&) = delete;
    UnitModel& operator=(const UnitModel&) = delete;

    [[nodiscard]] Host& host() const { return host_; }
    [[nodiscard]] const std::string& name() const { return name_; }
    [[nodiscard]] std::string full_name() const;

    void start();
    /// The process and all that belongs to it are gone at once, as with the power.
    void cut_power();
    /// The process dies; systemd starts another one soon.
    void crash();
    /// What systemd does for a restart job. Returns when it will have ended.
    void restart();
    /// An old connection ends. It comes back if the token still fits.
    void lose_connection();
    /// Cloudflare drops all of them.
    void be_evicted();
    /// A person makes it work again.
    void repair();

    [[nodiscard]] UnitState state() const;
    [[nodiscard]] bool running() const { return stage_ == Stage::running; }
    [[nodiscard]] bool at_rest() const { return stage_ == Stage::failed || stage_ == Stage::off; }
    [[nodiscard]] bool serves() const { return running() && connections_ > 0; }
    [[nodiscard]] int connections() const { return running() ? connections_ : 0; }
    [[nodiscard]] const std::string& connector() const { return connector_; }
    [[nodiscard]] const std::string& invocation() const { return invocation_; }
    [[nodiscard]] const Fingerprint& token() const { return token_; }
    [[nodiscard]] bool job_pending() const { return job_; }
    [[nodiscard]] JobResult job_result() const { return job_result_; }
    [[nodiscard]] BootTime served() const { return serves() ? now() : served_; }
    /// True if it has served for that long.
    [[nodiscard]] bool serves_for(Milliseconds time) const {
        return serves() && now() - serves_since_ >= time;
    }
    [[nodiscard]] bool fully_serves() const;
    /// Since when it has had no connection.
    [[nodiscard]] BootTime idle_since() const { return idle_since_; }

    bool broken = false;      ///< Each start fails until a person repairs it.
    bool gives_up = false;    ///< systemd starts it only so often.
    bool down_by_us = false;  ///< keyturn has restarted it, and it does not serve again yet.
    bool had_turn = false;    ///< This process, or the next one, was started in a turn ...
    WallTime rotation{};      ///< ... of the rotation that began then.

  private:
    enum class Stage { off, stopping, starting, running, failed, resting };

    [[nodiscard]] BootTime now() const;
    [[nodiscard]] bool token_fits() const;
    void then(Milliseconds wait, void (UnitModel::*next)());
    void come_up();
    void be_refused();
    void fill_up();
    void fail_start();
    void set_connections(int count);
    void end_job(JobResult result);

    Host& host_;
    std::string name_;
    Stage stage_ = Stage::off;
    std::string invocation_;
    std::string connector_;
    Fingerprint token_;
    int connections_ = 0;
    bool job_ = false;
    JobResult job_result_ = JobResult::other;
    std::uint64_t life_ =
        0;  ///< What was to happen to an earlier process does not happen any more.
    BootTime served_{};
    BootTime serves_since_{};
    BootTime idle_since_{};
};

}  // namespace keyturn::fleet_simulation
