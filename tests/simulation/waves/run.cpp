#include "fakes/web_tunnel.hpp"
#include "simulation/waves/model.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace keyturn::wave_simulation {

namespace {

using fleet_simulation::RunCounts;
using fleet_simulation::Seen;
using fleet_simulation::Tell;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

/// How often everything acts, and is judged.
constexpr Milliseconds beat = seconds{2};
/// What a host sees may be so old when it restarts a unit: a list, and how late that is.
constexpr Milliseconds seen_age_max = seconds{40};
/// What all hosts need at most once nothing goes wrong any more, with people who retry.
constexpr Milliseconds quiet_max = hours{24};

class Run {
  public:
    Run(std::uint64_t seed, Seen& seen, const Tell& tell)
        : world_(seed, seen, tell), calm_(seed % 8 == 0) {}

    std::optional<std::string> to_the_end(RunCounts& counts);

  private:
    void set_up();
    void pass(Milliseconds time);
    void pass_until_at_rest(BootTime end);
    void strike();
    void help();
    void judge_restart(const HostModel& host);
    void judge();
    [[nodiscard]] bool at_rest() const;
    void remove_lost_hosts();

    World world_;
    bool calm_;  ///< Nothing goes wrong in this run.
    CloudModel cloud_{world_};
    TunnelPolicy policy_ = web_policy({a});
    std::vector<std::unique_ptr<HostModel>> hosts_;
    std::uint64_t rotations_ = 0;
    BootTime helps_at_{};
};

void Run::set_up() {
    Coordinator& coordinator = policy_.coordinator.emplace();
    coordinator.kind = CoordinatorKind::api;
    policy_.drift.interval = world_.dice.between(minutes{1}, minutes{15});
    const int count = world_.dice.between(2, 5);
    for (int i = 1; i <= count; ++i) {
        KnownHost host{fmt::format("host-{}", i), fmt::format("192.0.2.{}", i), "", 1};
        if (world_.dice.happens(0.5)) host = {host.host, "", "keyturn-" + host.host, 1};
        coordinator.hosts.push_back(host);
    }
    for (std::size_t i = 0; i < coordinator.hosts.size(); ++i) {
        hosts_.push_back(std::make_unique<HostModel>(world_, cloud_, policy_, i));
        hosts_.back()->restarts = [this](const HostModel& host) { judge_restart(host); };
    }
    world_.storm = !calm_;
}

/// A unit that serves is about to restart in its turn.
void Run::judge_restart(const HostModel& host) {
    const auto own = std::ranges::find(hosts_, &host, [](const auto& each) { return each.get(); });
    const bool outdated = host.file() != cloud_.token();
    bool earlier = true;
    for (auto each = hosts_.begin(); each != hosts_.end(); ++each) {
        const HostModel& other = **each;
        if (each == own) earlier = false;
        if (each == own || other.lost()) continue;
        const std::string pair =
            fmt::format("{} restarts while {}", host.known().host, other.known().host);
        if (other.down_by_keyturn()) world_.fail(pair + " is down by keyturn");
        const bool gone = world_.now() - other.served_last() > seen_age_max;
        if (gone && !cloud_.listed_lately(other.known())) world_.fail(pair + " does not serve");
        // A host that does not know of the last change yet may restart after one that does.
        const bool in_order = outdated || host.acknowledged() || other.unit_token() == host.file();
        if (earlier && !in_order) {
            world_.fail(pair + ", which comes first, has another token");
        }
    }
    if (host.overtaken()) {
        world_.fail(host.known().host + " restarts although the token changed twice");
    }
    if (outdated && world_.now() - cloud_.changed() > seen_age_max) {
        world_.fail(host.known().host + " restarts with a token that was replaced long ago");
    }
}

void Run::judge() {
    const auto down = std::ranges::count_if(
        hosts_, [](const auto& host) { return host->down_by_keyturn() && !host->lost(); });
    if (down > 1) world_.fail("two units are down by keyturn");
    if (!calm_) return;
    for (const auto& host : hosts_) {
        if (host->held()) world_.fail(host->known().host + " is held although nothing was wrong");
    }
}

void Run::strike() {
    HostModel& host = *hosts_[static_cast<std::size_t>(
        world_.dice.between(0, static_cast<int>(hosts_.size()) - 1))];
    if (host.lost()) return;
    if (world_.strikes(0.004, "keyturnd is killed")) host.kill_keyturnd();
    if (world_.strikes(0.002, "a unit crashes")) host.crash_unit();
    if (world_.strikes(0.004, "a unit with an old token loses its connections")) {
        host.lose_connections();
    }
    if (world_.strikes(0.001, "a host does not reach Cloudflare")) {
        host.cut_off(world_.dice.between(seconds{5}, hours{3}));
    }
    if (world_.strikes(0.0008, "somebody else changes the secret")) cloud_.change();
    if (world_.strikes(0.0004, "a connector of no host")) {
        cloud_.connect(Connector{fmt::format("x-{}", world_.now().time_since_epoch().count()),
                                 "198.51.100.9", "", "", 4});
    }
    const auto living =
        std::ranges::count(hosts_, false, [](const auto& each) { return each->lost(); });
    if (living > 2 && world_.strikes(0.0001, "a host is gone for ever")) {
        host.lose();
        world_.after(world_.dice.between(minutes{10}, hours{4}), [this] { remove_lost_hosts(); });
    }
}

/// On all hosts, one after the other.
void Run::remove_lost_hosts() {
    std::vector<KnownHost>& known = policy_.coordinator->hosts;
    for (const auto& host : hosts_) {
        if (!host->lost()) continue;
        std::erase_if(known,
                      [&](const KnownHost& each) { return each.host == host->known().host; });
    }
    std::erase_if(hosts_, [](const auto& host) { return host->lost(); });
    for (std::size_t i = 0; i < hosts_.size(); ++i) hosts_[i]->take_policy(policy_, i);
}

/// People look at what is held after a while: first at a host that does not serve, then at one
/// after the other, or at all in one go. They see whether a host before them is still at work.
void Run::help() {
    if (world_.now() < helps_at_) return;
    helps_at_ = world_.now() + world_.dice.between(minutes{5}, minutes{40});
    const auto held = [](const auto& host) { return host->held(); };
    const auto at_work = [](const auto& host) { return !host->idle() && !host->held(); };
    const auto useless = std::ranges::find_if(
        hosts_, [&](const auto& host) { return held(host) && !host->serves(); });
    if (useless != hosts_.end()) return (*useless)->retry();
    const bool busy = std::ranges::any_of(
        hosts_, [](const auto& host) { return host->acknowledged() && !host->idle(); });
    const auto first = std::ranges::find_if(hosts_, held);
    if (busy || first == hosts_.end() || std::any_of(hosts_.begin(), first, at_work)) return;
    const bool in_one_go = world_.dice.happens(0.3);
    for (auto host = first; host != (in_one_go ? hosts_.end() : first + 1); ++host) {
        (*host)->retry();
    }
}

void Run::pass(Milliseconds time) {
    const BootTime end = world_.now() + time;
    while (world_.now() < end && world_.failure().empty()) {
        world_.pass(beat, [] { return false; });
        strike();
        help();
        for (const auto& host : hosts_) {
            host->note_service();
            host->act();
        }
        judge();
    }
}

bool Run::at_rest() const {
    return std::ranges::all_of(hosts_, [this](const auto& host) {
        return host->idle() && host->serves() && host->unit_token() == cloud_.token();
    });
}

void Run::pass_until_at_rest(BootTime end) {
    while (!at_rest() && world_.now() < end && world_.failure().empty()) pass(minutes{1});
}

std::optional<std::string> Run::to_the_end(RunCounts& counts) {
    const BootTime began = world_.now();
    set_up();
    pass(minutes{1});
    const int wanted = world_.dice.between(1, 5);
    for (int i = 0; i < wanted && world_.failure().empty(); ++i) {
        if (hosts_.front()->rotate()) ++rotations_;
        const BootTime next = world_.now() + world_.dice.between(minutes{10}, hours{3});
        pass_until_at_rest(calm_ ? world_.now() + quiet_max : next);
        pass(world_.dice.between(seconds{10}, minutes{20}));
    }
    world_.storm = false;
    remove_lost_hosts();
    pass_until_at_rest(world_.now() + quiet_max);
    if (world_.failure().empty() && !at_rest()) world_.fail("not at rest in time");
    counts.rotations += rotations_;
    if (world_.faults > 0) counts.with_fault += rotations_;
    counts.simulated += world_.now() - began;
    if (world_.failure().empty()) return std::nullopt;
    return world_.failure();
}

}  // namespace

std::optional<std::string> run_waves(std::uint64_t seed, Seen& seen, RunCounts& counts,
                                     const Tell& tell) {
    return Run(seed, seen, tell).to_the_end(counts);
}

}  // namespace keyturn::wave_simulation
