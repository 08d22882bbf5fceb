#include "simulation/waves/model.hpp"

#include "waves/wave_hosts.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace keyturn::wave_simulation {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

/// How much an answer of Cloudflare may be behind.
constexpr Milliseconds late_by_max = seconds{10};
/// How long a list is remembered.
constexpr Milliseconds remembered = minutes{1};
/// The heart looks at the token again before a restart if the last look is older.
constexpr Milliseconds token_age_max = seconds{30};

}  // namespace

// --- Cloudflare ----------------------------------------------------------------------------------

void CloudModel::change() {
    token_ = fmt::format("token-{}", ++secrets_);
    changed_ = world_.now();
    if (world_.told()) world_.tell(fmt::format("Cloudflare has {}", token_));
}

void CloudModel::connect(const Connector& connector) {
    entries_.push_back({connector, {}});
}

void CloudModel::disconnect(const std::string& id) {
    Milliseconds stays = world_.dice.between(seconds{0}, seconds{3});
    if (world_.strikes(0.05, "a dead connector stays listed")) {
        stays = world_.dice.between(minutes{1}, minutes{10});
    }
    for (Entry& entry : entries_) {
        if (entry.connector.id == id) entry.until = world_.now() + stays;
    }
}

std::vector<Connector> CloudModel::now() {
    std::erase_if(entries_, [this](const Entry& entry) {
        return entry.until && *entry.until <= world_.now();
    });
    std::vector<Connector> connectors;
    for (const Entry& entry : entries_) connectors.push_back(entry.connector);
    return connectors;
}

std::vector<Connector> CloudModel::list() {
    lists_.emplace_back(world_.now(), now());
    while (lists_.front().first < world_.now() - remembered) lists_.pop_front();
    BootTime of = world_.now();
    if (world_.strikes(0.1, "an old list")) {
        of -= world_.dice.between(seconds{1}, late_by_max);
    }
    for (auto list = lists_.rbegin(); list != lists_.rend(); ++list) {
        if (list->first <= of) return list->second;
    }
    return lists_.front().second;
}

bool CloudModel::listed_lately(const KnownHost& host) const {
    return std::ranges::any_of(lists_, [&](const auto& list) {
        return std::ranges::any_of(list.second, [&](const Connector& connector) {
            return host_of({host}, connector).has_value();
        });
    });
}

// --- A host --------------------------------------------------------------------------------------

HostModel::HostModel(World& world, CloudModel& cloud, TunnelPolicy policy, std::size_t own)
    : world_(world), cloud_(cloud), policy_(std::move(policy)), own_(own), file_(cloud.token()) {
    looks_at_ = world_.now() + world_.dice.between(seconds{0}, policy_.drift.interval);
    disk_.token = file_;
    begin_keyturnd();
    start_unit(Milliseconds{0}, false);
}

void HostModel::begin_keyturnd() {
    gate_ = std::make_unique<WaveGate>(policy_, own_, WaveTimes(), disk_);
}

void HostModel::kill_keyturnd() {
    gate_.reset();
    held_ = held_ && open_;  // A hold is on disk.
    runs_from_ = world_.now() + world_.dice.between(seconds{1}, minutes{2});
    looks_at_ = runs_from_;
    if (world_.told()) world_.tell(known().host + ": keyturnd is killed");
}

void HostModel::lose() {
    lost_ = true;
    gate_.reset();
    stop_unit();
    if (world_.told()) world_.tell(known().host + " is gone for ever");
}

void HostModel::take_policy(TunnelPolicy policy, std::size_t own) {
    gate_.reset();
    policy_ = std::move(policy);
    own_ = own;
    if (!lost_) begin_keyturnd();
}

void HostModel::note_service() {
    if (serves()) served_last_ = world_.now();
}

void HostModel::stop_unit() {
    if (unit_.connected) cloud_.disconnect(unit_.connector);
    unit_.up = unit_.connected = false;
    ++unit_.process;
}

/// It reads the token when it starts, and connects if that is the tunnel's.
void HostModel::start_unit(Milliseconds takes, bool by_keyturn) {
    const std::uint64_t process = ++unit_.process;
    unit_.restarted = by_keyturn;
    unit_.token = file_;
    world_.after(takes, [this, process] {
        if (process != unit_.process || lost_) return;
        unit_.up = true;
        unit_.restarted = false;
        unit_.connected = unit_.token == cloud_.token();
        unit_.connector = fmt::format("{}-{}", known().host, process);
        if (!unit_.connected) return;
        const KnownHost& host = known();
        cloud_.connect(Connector{unit_.connector, host.address, "", "", 4, host.tag});
    });
}

void HostModel::crash_unit() {
    if (lost_) return;
    stop_unit();
    start_unit(world_.dice.between(seconds{1}, seconds{20}), false);
    if (world_.told()) world_.tell(known().host + ": the unit crashes");
}

void HostModel::lose_connections() {
    if (!unit_.connected || unit_.token == cloud_.token()) return;
    cloud_.disconnect(unit_.connector);
    unit_.connected = false;
    if (world_.told()) world_.tell(known().host + ": the unit loses its connections");
}

bool HostModel::reaches_cloudflare() {
    return world_.now() >= cut_until_ && !world_.strikes(0.02, "a call fails");
}

bool HostModel::look_at_token() {
    if (!reaches_cloudflare()) return false;
    token_seen_ = world_.now();
    if (cloud_.token() == file_) return true;
    deliver();
    return true;
}

void HostModel::deliver(WaveGate::Author author) {
    file_ = cloud_.token();
    open_ = true;
    held_ = false;
    acknowledged_ = false;
    if (world_.told()) world_.tell(fmt::format("{}: the file has {}", known().host, file_));
    if (world_.strikes(0.02, "killed after the delivery")) return kill_keyturnd();
    static_cast<void>(learn_of_change(author));
}

bool HostModel::learn_of_change(WaveGate::Author author) {
    if (gate_->knows(file_)) return true;
    if (!reaches_cloudflare()) return false;
    gate_->begin(file_, author, cloud_.list(), world_.now());
    ++changes_;
    keep();
    return true;
}

bool HostModel::rotate() {
    if (lost_ || !gate_ || open_ || !reaches_cloudflare()) return false;
    gate_->look(cloud_.list(), world_.now());
    if (gate_->reason_not_to_rotate()) {
        world_.saw("refused to rotate");
        return false;
    }
    cloud_.change();
    token_seen_ = world_.now();
    deliver(WaveGate::Author::this_host);
    return true;
}

void HostModel::retry() {
    if (!held_ || !gate_) return;
    world_.saw("retried");
    if (world_.told()) world_.tell(known().host + ": a person retries");
    held_ = false;
    acknowledged_ = !overtaken();
    gate_->acknowledge();
    changes_ = std::min(changes_, 1);
    keep();
}

void HostModel::act() {
    if (lost_) return;
    if (!gate_) {
        if (world_.now() < runs_from_) return;
        begin_keyturnd();
    }
    if (!open_ && world_.now() < looks_at_) return;
    if (!open_) {
        looks_at_ = world_.now() + policy_.drift.interval;
        if (look_at_token() && !open_ && gate_ && reaches_cloudflare()) {
            gate_->look(cloud_.list(), world_.now());
        }
        return;
    }
    if (!held_) go_on();
}

/// Waits for its turn, restarts, and ends when the unit serves with the token.
void HostModel::go_on() {
    if (world_.now() - token_seen_ >= token_age_max && !look_at_token()) return;
    if (!gate_) return;
    if (unit_.up && unit_.connected && unit_.token == file_) {
        open_ = false;
        gate_->finish();
        changes_ = 0;
        keep();
        looks_at_ = world_.now() + policy_.drift.interval;
        return;
    }
    if (!unit_.up) return;
    if (!unit_.connected) {
        stop_unit();
        return start_unit(world_.dice.between(seconds{1}, seconds{8}), false);
    }
    if (!learn_of_change()) return;
    if (gate_->wants_a_list(world_.now())) {
        if (!reaches_cloudflare()) return;
        gate_->look(cloud_.list(), world_.now());
    }
    const WaveGate::Verdict verdict = gate_->may_restart(world_.now());
    if (verdict.kind == WaveGate::Verdict::Kind::closed) return;
    if (verdict.kind == WaveGate::Verdict::Kind::refused) {
        held_ = true;
        world_.saw("held: " + std::string(name_of(verdict.error.fault)));
        if (world_.told()) world_.tell(known().host + ": held: " + verdict.error.text);
        return;
    }
    if (world_.told()) world_.tell(known().host + ": its turn");
    restarts(*this);
    stop_unit();
    start_unit(world_.dice.between(seconds{1}, seconds{8}), true);
}

}  // namespace keyturn::wave_simulation
