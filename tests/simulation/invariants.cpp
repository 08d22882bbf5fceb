#include "simulation/invariants.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn::simulation {

namespace {

/// "Serving" is sampled at most this long before the decision.
constexpr Milliseconds sample_age_max = std::chrono::seconds{2};

}  // namespace

void Invariants::broken(const char* invariant, std::string text) const {
    throw Violation(fmt::format("{} is broken for {}: {}", invariant, policy_.name, text));
}

void Invariants::rotation_begins(bool accept_gap) {
    sent_.clear();
    retried_ = false;
    held_unit_.reset();
    verified_at_.clear();
    promoted_.clear();
    noted_.clear();
    restarts_.clear();
    attached_ = Milliseconds{0};
    dropped_.clear();
    restored_ = false;
    allowed_ = true;
    accept_gap_ = accept_gap || policy_.rollout.accept_gap;
}

void Invariants::move_begins(bool accept_gap, BootTime now) {
    rotation_begins(accept_gap);
    moved_at_ = now;
    restarted_.clear();
}

/// A unit that was moved must run as a process that was started after that, and one that was moved
/// back and had been restarted as a process that was started after that.
void Invariants::concludes(const HistoryEntry& entry) const {
    // A crash may have been between the end of the record and the answer.
    if (!disk_.record || !disk_.record->request.moves_units() || disk_.record->foreign) return;
    if (entry.old_fingerprint != entry.new_fingerprint) {
        broken("I4", "units only moved, but the token changed");
    }
    const bool back = entry.outcome == Outcome::reverted;
    const std::vector<std::string>& named = disk_.record->request.units;
    for (const UnitProgress& progress : entry.units) {
        const UnitModel* unit = find(progress.name);
        const bool meant = named.empty() || std::ranges::find(named, progress.name) != named.end();
        const bool proven = progress.step == UnitStep::verified && !progress.surge;
        if (!meant || !proven || restored_ || (back && !restarted_.contains(progress.name))) {
            continue;
        }
        if (unit->started_at() < (back ? called_off_at_ : moved_at_)) {
            broken("I5", unit->name() + " was moved, but still runs as the process from before");
        }
    }
}

void Invariants::compromise_begins() {
    rotation_begins(false);
    leaked_ = {disk_.token_file, cloud_.current()};
    if (disk_.kept) leaked_.insert({disk_.kept->fresh, disk_.kept->old});
}

void Invariants::secret_sent(SecretId secret) {
    last_sent_ = secret;
    if (disk_.record && disk_.record->compromised() && leaked_.contains(secret)) {
        broken("I4", "after a compromise, an existing secret was sent");
    }
    if (disk_.record && disk_.record->request.moves_units()) {
        broken("I4", "a secret was sent although units only move");
    }
    const bool goes_back = disk_.record && disk_.record->reverts() && secret == before_;
    if (sent_.empty() && disk_.kept) before_ = disk_.kept->old;
    if (!goes_back) sent_.insert(secret);
    made_.insert(secret);
    if (sent_.size() > 1) broken("I4", "a second secret was sent in one rotation");
    if (!disk_.kept || disk_.kept->fresh != secret) {
        broken("I2", "a secret was sent that is not on the disk");
    }
    if (disk_.record && disk_.record->ends_on_foreign_token()) {
        broken("I4", "a secret was sent although somebody else's was to be taken over");
    }
    const bool says_so =
        disk_.record && (disk_.record->phase == Phase::commit ||
                         disk_.record->phase == Phase::revert || disk_.record->compromised());
    if (says_so && !allowed_ && !disk_.record->compromised()) {
        broken("I3", "a secret was sent although polkit does not allow restarting the units");
    }
    if (!says_so) {
        broken("I2", "a secret was sent without a record of that");
    }
}

void Invariants::unit_restarts(const UnitModel& unit, BootTime now) {
    const bool planned =
        std::ranges::find(policy_.units, unit.name()) != policy_.units.end() ||
        (unit.name() == surge_name(policy_) && policy_.rollout.surge != SurgeUse::never);
    if (!planned) {
        broken("I3", unit.name() + " was restarted, but is not planned");
    }
    const UnitProgress* progress = disk_.record ? disk_.record->find(unit.name()) : nullptr;
    if (progress == nullptr || progress->step != UnitStep::restarting) {
        broken("I3", unit.name() + " was restarted without a record of it");
    }
    const RotationRequest& request = disk_.record->request;
    const bool named = request.units.empty() ||
                       std::ranges::find(request.units, unit.name()) != request.units.end() ||
                       unit.name() == surge_name(policy_);
    if (request.moves_units() && !disk_.record->foreign && !named) {
        broken("I3", unit.name() + " was restarted, but was not moved");
    }
    // Between the check of the file and the restart, somebody may be faster than any check.
    const bool unseen = file_change_ && !file_change_->seen;
    const bool too_quick = unseen && now - file_seen_ <= sample_age_max;
    if (disk_.token_file != told_ && !too_quick) {
        broken("I3", fmt::format("{} was restarted with token {}, but the API last showed {}",
                                 unit.name(), disk_.token_file, told_));
    }
    check_restart_happens_once(*progress, unit, now);
    check_loop(unit);
    if (!unit.serves_since(now - sample_age_max)) return;
    check_soak(*progress, now);
    check_came_back(unit, now);
    if (held_unit_) {
        broken("I7", fmt::format("{} serves and was restarted although {} is held", unit.name(),
                                 policy_.name));
    }
    check_capacity(unit, now);
}

void Invariants::check_capacity(const UnitModel& unit, BootTime now) const {
    const auto others = std::ranges::count_if(units_, [&](const UnitModel& other) {
        if (&other == &unit) return false;
        const bool seen = other.look() != UnitModel::Look::unknown;
        if (seen) return other.served_since(now - sample_age_max);
        // After a compromise it is enough that systemd saw the unit become ready with the new
        // token.
        const UnitProgress* silent =
            disk_.record->compromised() ? disk_.record->find(other.name()) : nullptr;
        return silent != nullptr && silent->step == UnitStep::verified;
    });
    const UnitProgress* own = disk_.record->find(unit.name());
    if (own != nullptr && own->dropped) return;  // With a connector that could not be told from it.
    if (others < policy_.rollout.min_available && !accept_gap_ &&
        !disk_.record->request.evict_all) {
        broken("I1", fmt::format("{} went down while {} others served", unit.name(), others));
    }
}

void Invariants::unit_stops(const UnitModel& unit, BootTime now) {
    if (unit.name() != surge_name(policy_)) broken("I3", unit.name() + " was stopped");
    if (!disk_.record) broken("I3", unit.name() + " was stopped without an open rotation");
    if (held_unit_) broken("I7", unit.name() + " was stopped although the rotation is held");
    if (unit.serves_since(now - sample_age_max)) check_capacity(unit, now);
}

void Invariants::connector_evicted(const std::string& connector) {
    check_connector(connector);
    dropped_.insert(connector);
}

void Invariants::check_connector(const std::string& connector) const {
    if (!disk_.record || !disk_.record->compromised()) {
        broken("I3", "a connector was dropped although nothing is compromised");
    }
    if (connector.empty() && !disk_.record->request.evict_all) {
        broken("I1", "all connectors were dropped although nobody asked for that");
    }
    for (const UnitModel& unit : units_) {
        const bool meant = unit.serving() && unit.readiness().connector_id == connector;
        if (!meant) continue;
        // A unit that does not report its connector may be dropped with the stranger, once it can
        // come back. A list that is a few seconds older than the check counts as new: one of ours
        // that lost a connection meanwhile looks like one with too many.
        if (unit.look() == UnitModel::Look::serving && !list_is_older_) {
            broken("I1", "the connector of " + unit.name() + " was dropped");
        }
        const SecretId delivered_one = file_change_ ? file_change_->before : disk_.token_file;
        const bool delivered =
            delivered_one == cloud_.current() || unit.token() == cloud_.current();
        if (!delivered && cloud_.set_by_us()) {
            broken("I1", unit.name() + " was dropped before its file contained the new token");
        }
    }
}

/// The process that a recorded restart was to replace is still there, or its successor does not
/// serve.
void Invariants::check_restart_happens_once(const UnitProgress& progress, const UnitModel& unit,
                                            BootTime now) const {
    const bool another =
        unit.serving() && !retried_ && unit.state().invocation != progress.invocation_before;
    if (another && unit.started_at() < now - sample_age_max) {
        broken("I3", fmt::format("{} was restarted again for one record", unit.name()));
    }
}

/// A serving unit of a later batch goes down only after the earlier batches were watched.
void Invariants::check_soak(const UnitProgress& unit, BootTime now) const {
    if (promoted_.contains(unit.name)) return;
    if (disk_.record->reverts() || disk_.record->compromised()) return;
    for (const UnitProgress& other : disk_.record->units) {
        const auto verified = verified_at_.find(other.name);
        if (other.batch >= unit.batch || other.batch == 0 || verified == verified_at_.end())
            continue;
        // A unit that went early because it did not serve belongs to the batch in which it went.
        if (promoted_.contains(other.name)) continue;
        if (now - verified->second >= std::min(policy_.rollout.soak, policy_.rollout.soak_min)) {
            continue;
        }
        broken("I3", fmt::format("{} was restarted {} after {} was verified", unit.name,
                                 to_text(now - verified->second), other.name));
    }
}

void Invariants::secrets_forgotten() {
    if (!disk_.record || disk_.record->phase == Phase::preflight || delivers_only()) return;
    if (disk_.record->phase != Phase::finish) {
        broken("I2", "the secrets were wiped before the rotation was finished");
    }
    for (const UnitProgress& unit : disk_.record->units) {
        if (unit.step == UnitStep::verified || unit.step == UnitStep::listed) continue;
        broken("I5", unit.name + " was left on the old token");
    }
}

void Invariants::event_told(const Event& event, BootTime now) {
    if (event.kind == EventKind::unit_verified) verified_at_[event.target_unit] = now;
    check_chapters(event);
    check_sight(event);
    if (event.kind == EventKind::rotation_reverting) held_unit_.reset();
    if (event.kind == EventKind::replica_promoted) promoted_.insert(event.target_unit);
    if (event.kind == EventKind::rotation_held) {
        held_unit_ = event.target_unit;
        if (event.priority != Priority::alert) broken("I5", "a hold without an alarm");
        const bool durable = disk_.record && disk_.record->hold;
        if (!durable && !disk_.last_operation_failed)
            broken("I7", "a hold that does not survive a crash");
    }
    const bool retired = std::ranges::find(disk_.retired, event.fingerprint) != disk_.retired.end();
    if (event.kind == EventKind::foreign_rotation && retired && !retried_) {
        broken("I5", "a retired secret was taken over although nobody allowed it");
    }
}

/// Checks a pause, a revert, a compromise.
void Invariants::check_chapters(const Event& event) const {
    const auto is = [&](EventKind kind) { return event.kind == kind; };
    const bool compromised = disk_.record && disk_.record->compromised();
    const bool restarts = is(EventKind::unit_restarting) || is(EventKind::surge_started);
    if (restarts && disk_.paused && !compromised) {
        broken("the pause", event.target_unit + " is restarted although an operator paused it");
    }
    const bool retired = std::ranges::find(disk_.retired, event.fingerprint) != disk_.retired.end();
    if (is(EventKind::rotation_reverting) && retired) {
        broken("I5", "it reverts to a secret that was rotated away");
    }
    const bool back = is(EventKind::secret_committed) && disk_.record && disk_.record->reverts();
    if (back && disk_.kept && last_sent_ != disk_.kept->fresh) {
        broken("I3", "it reported that the old secret is back, but nobody has sent it");
    }
    if (is(EventKind::foreign_rotation) && compromised) {
        broken("I4", "after a compromise somebody else's token is taken over");
    }
    // If a record of an earlier compromise was restored, a stranger has its new token. While a unit
    // is silent, the stranger cannot be told from it.
    const bool attached = std::ranges::any_of(cloud_.foreign(), [&](const auto& foreign) {
        return !restored_ || foreign.token != cloud_.current();
    });
    if (is(EventKind::locked_out) && attached) {
        broken("I5", "it reported that nobody else is connected, but somebody is");
    }
}

bool Invariants::delivers_only() const {
    return disk_.record->takes_over() && policy_.drift.restart == DriftRestart::never;
}

void Invariants::retried() {
    attached_ = Milliseconds{0};
    retried_ = true;
    restarts_.clear();
    held_unit_.reset();
}

void Invariants::daemon_gone() {
    attached_ = Milliseconds{0};
    // What a person allowed may already be kept, and is reported by the next keyturnd.
    const bool taking_over =
        disk_.record && disk_.record->foreign && disk_.record->phase == Phase::commit;
    if (!taking_over) retried_ = false;
    lost_.clear();  // The next one begins its own soak, with its own two checks.
    restarts_.clear();
    if (!disk_.record || !disk_.record->hold) held_unit_.reset();
}

void Invariants::file_changed(SecretId before) {
    if (!file_change_) file_change_ = FileChange{before};
    file_change_->seen = false;
}

void Invariants::file_seen(BootTime now) {
    file_seen_ = now;
    if (file_change_) file_change_->seen = true;
}

void Invariants::after_effect() {
    // Once somebody else's token was taken over, only the API knows its secret.
    if (disk_.record && disk_.record->foreign) made_.clear();
    const bool ours = cloud_.set_by_us() && made_.contains(cloud_.current());
    const bool kept = disk_.kept && (disk_.kept->fresh == cloud_.current() ||
                                     disk_.kept->old == cloud_.current());
    // The file contained it until somebody else changed the file, which keyturnd does not know yet.
    const bool overwritten = file_change_ && file_change_->before == cloud_.current();
    if (ours && !kept && !overwritten && disk_.token_file != cloud_.current()) {
        broken("I2", fmt::format("the API has secret {}, which is nowhere on this host",
                                 cloud_.current()));
    }
}

void Invariants::converged() const {
    if (disk_.record) broken("I5", "a rotation has not ended although all faults are over");
    if (disk_.kept) broken("I2", "secrets are kept although no rotation is open");
    if (disk_.token_file != cloud_.current()) broken("I5", "the token file contains a dead token");
    const bool left_to_people = policy_.drift.restart == DriftRestart::never &&
                                !disk_.history.empty() &&
                                disk_.history.back().outcome != Outcome::done;
    if (left_to_people) return;
    for (const UnitModel& unit : units_) {
        if (!unit.started()) continue;
        if (unit.name() == surge_name(policy_)) {
            broken("I5", unit.name() + " runs although no rotation is open");
        }
        if (unit.token() == cloud_.current() && !unit.starts_in_vain()) continue;
        broken("I5", fmt::format("{} runs with token {}, but the API has {}", unit.name(),
                                 unit.token(), cloud_.current()));
    }
}

}  // namespace keyturn::simulation
