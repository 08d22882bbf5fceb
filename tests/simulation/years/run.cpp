#include "simulation/years/run.hpp"

#include "delivery/token_store.hpp"
#include "fakes/fake_host.hpp"
#include "fakes/running_agent.hpp"
#include "fakes/web_tunnel.hpp"
#include "policy/expected.hpp"
#include "state/state_store.hpp"
#include "token/random.hpp"

#include <fmt/format.h>

#include <cstdlib>
#include <filesystem>
#include <unistd.h>

namespace keyturn::years {

namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;

/// A scheduled rotation is refused if the clock is off by this, with some margin.
constexpr Milliseconds margin = minutes{6};
/// A refused rotation, or one that waits for the API, is retried within this.
constexpr Milliseconds slack = hours{2};

struct NoLog final : EventLog {
    void record(const Event&) override {}
};

class Run {
  public:
    Run(std::uint64_t seed, Seen& seen, const std::function<void(const std::string&)>& tell);
    ~Run();

    std::optional<std::string> to_the_end();

  private:
    void start();
    void pass(Milliseconds time);
    void disturb();
    void set_clock_wrong();
    void suspend();
    void switch_off();
    void lose_state();
    void move();
    void silence_api();
    void rotate_by_hand();
    void pause();
    void noticed(const TunnelAgent& agent);
    void scheduled_start();
    void secret_sent();
    void check_age(WallTime now);
    void excuse(const char* what, Milliseconds time);
    void fail(std::string what);

    [[nodiscard]] WallTime now() const { return clock_.true_now(); }
    [[nodiscard]] bool clock_is_right() const {
        return std::chrono::abs(clock_.wall_now() - now()) <= minutes{5};
    }
    [[nodiscard]] Milliseconds expected() const {
        return expected_duration(policy_.rollout, policy_.units.size());
    }

    Dice dice_;
    Seen& seen_;
    const std::function<void(const std::string&)>& tell_;
    boost::asio::io_context context_{1};
    SimulatedClock clock_{context_};
    Almanac almanac_;
    std::string directory_;
    TunnelPolicy policy_ = web_policy();
    std::unique_ptr<StateStore> states_;
    std::unique_ptr<TokenStore> tokens_;
    std::unique_ptr<Random> random_ = make_random();
    std::unique_ptr<FakeHost> host_;
    ApiBudget budget_;
    NoLog log_;
    RunningAgent agent_{context_, clock_};

    double share_ = dice_.fraction();
    WallTime counts_from_ = now();         ///< The last secret, or the first sight of the tunnel.
    std::optional<WallTime> last_secret_;  ///< As far as the state knows it.
    Milliseconds excused_{0};  ///< Time since `counts_from_` without any chance to rotate.
    bool by_hand_ = false;
    bool open_ = false;
    std::string failure_;
};

Run::Run(std::uint64_t seed, Seen& seen, const std::function<void(const std::string&)>& tell)
    : dice_(seed), seen_(seen), tell_(tell), almanac_(dice_, clock_.true_now(), run_years) {
    std::string pattern = "/dev/shm/keyturn-years-XXXXXX";
    directory_ = ::mkdtemp(pattern.data()) != nullptr ? pattern : "";
    policy_.rollout.soak = minutes{12};  // Well above `margin`.
    policy_.rollout.soak_min = minutes{12};
    policy_.drift.interval = days{1};
    policy_.drift.units_interval = days{1};
    policy_.schedule = almanac_.schedule();
    states_ = make_state_store(directory_).value();
    tokens_ = make_token_store(directory_);
    host_ = std::make_unique<FakeHost>(clock_, policy_, tokens_->path("web"));
    host_->on_patch = [this](std::string_view) { secret_sent(); };
}

Run::~Run() {
    agent_.stop();
    states_.reset();
    std::filesystem::remove_all(directory_);
}

void Run::start() {
    const Dependencies world{clock_, *host_, *host_, *host_, *tokens_, *states_, *random_, budget_};
    agent_.start(policy_, share_, world, log_,
                 [this](const TunnelAgent& agent) { noticed(agent); });
    open_ = !agent_->status().phase.empty();  // That is no beginning.
}

void Run::pass(Milliseconds time) {
    clock_.run_until([this] { return !failure_.empty(); }, time);
}

void Run::fail(std::string what) {
    if (failure_.empty()) failure_ = fmt::format("{}: {}", to_text(now()), std::move(what));
}

/// Called for each rotation that begins.
void Run::noticed(const TunnelAgent& agent) {
    const TunnelStatus status = agent.status();
    const bool open = !status.phase.empty();
    if (open && !std::exchange(open_, open) && status.trigger == "schedule") scheduled_start();
    open_ = open;
}

void Run::scheduled_start() {
    tell_(fmt::format("{} begins by schedule, clock off by {}", to_text(now()),
                      to_text(Milliseconds{clock_.wall_now() - now()})));
    if (!clock_is_right()) {
        ++seen_["begun by a wrong clock, and refused"];
        return;
    }
    const bool too_old =
        almanac_.max_age > days{0} && now() >= counts_from_ + almanac_.max_age - margin;
    if (almanac_.in_a_freeze(now(), margin)) fail("a rotation begins in a freeze");
    const bool in_window = almanac_.in_windows(now(), expected(), margin);
    if (!in_window && !too_old) fail("a rotation begins although no window has room for it");
    if (!in_window) ++seen_["too old to wait for a window"];
    if (in_window && !almanac_.windows.empty()) ++seen_["begun in a window"];
    const bool late = now() > counts_from_ + almanac_.every + days{40};
    if (almanac_.every > days{0} && late) ++seen_["made up for what was missed"];
}

/// Called for each PATCH that Cloudflare accepts.
void Run::secret_sent() {
    tell_(fmt::format("{} a new secret", to_text(now())));
    ++seen_["rotations"];
    if (!by_hand_) {
        if (!clock_is_right()) fail("a scheduled rotation continues on a wrong clock");
        const Milliseconds age = now() - counts_from_;
        const Milliseconds interval = last_secret_ ? almanac_.min_interval : Milliseconds{0};
        if (age < interval - margin) fail("two rotations within min_interval");
        const bool too_old = almanac_.max_age > days{0} && age >= almanac_.max_age - margin;
        if (almanac_.every > days{0}) {
            if (age < almanac_.every - margin && !too_old) fail("a rotation before it is due");
        } else if (!almanac_.comes_between(counts_from_ - margin, now() + margin) && !too_old) {
            fail("a rotation although no calendar time has come");
        }
    }
    check_age(now());
    by_hand_ = false;
    counts_from_ = now();
    last_secret_ = now();
    excused_ = Milliseconds{0};
}

/// max_age is kept, except for freezes and for times in which keyturnd cannot do anything.
void Run::check_age(WallTime now) {
    if (almanac_.max_age <= days{0}) return;
    const Milliseconds age = now - counts_from_;
    const Milliseconds allowed = std::max(almanac_.max_age, almanac_.min_interval) + excused_ +
                                 almanac_.frozen(counts_from_, now) + almanac_.splay + slack;
    if (age > allowed) {
        fail(fmt::format("the token is {} old, but only {} is allowed", to_text(age),
                         to_text(allowed)));
    }
}

void Run::excuse(const char* what, Milliseconds time) {
    tell_(fmt::format("{} {} for {}", to_text(now()), what, to_text(time)));
    ++seen_[what];
    excused_ += time;
}

void Run::set_clock_wrong() {
    const std::array<Milliseconds, 8> errors{minutes{1}, -minutes{2}, hours{3},      -hours{5},
                                             days{2},    -days{40},   days{365 * 8}, -days{700}};
    const Milliseconds error = errors.at(static_cast<std::size_t>(dice_.between(0, 7)));
    const Milliseconds time = dice_.between(minutes{1}, days{3});
    const bool matters = std::chrono::abs(error) > minutes{5};
    tell_(fmt::format("{} clock set wrong by {}", to_text(now()), to_text(error)));
    if (matters) excuse("clock set wrong", time);
    clock_.set_wrong_by(error);
    pass(time);
    clock_.set_wrong_by(Milliseconds{0});
    // The next check corrects what was recorded with that clock.
    if (matters) excused_ += policy_.drift.interval;
}

void Run::suspend() {
    const Milliseconds time = dice_.between(hours{1}, days{20});
    excuse("suspended", time);
    clock_.suspend(time);
}

void Run::switch_off() {
    const Milliseconds time = dice_.between(hours{1}, days{100});
    excuse("switched off", time);
    agent_.stop();
    pass(time);
    start();
}

void Run::lose_state() {
    ++seen_["state lost"];
    tell_(fmt::format("{} state lost", to_text(now())));
    agent_.stop();
    const bool open = open_;
    if (!open) {
        for (const char* const part : {"state", "history"}) {
            for (const auto& file : std::filesystem::directory_iterator(directory_ + "/" + part)) {
                std::filesystem::remove_all(file.path());
            }
        }
        counts_from_ = now();
        last_secret_.reset();
        excused_ = Milliseconds{0};
    }
    start();
}

void Run::move() {
    ++seen_["another zone"];
    agent_.stop();
    almanac_.move_to_another_zone(dice_);
    policy_.schedule = almanac_.schedule();
    tell_(fmt::format("{} zone {}", to_text(now()), policy_.schedule.zone.name()));
    start();
}

void Run::silence_api() {
    const Milliseconds time = dice_.between(hours{1}, days{4});
    excuse("API silent", time);
    host_->api_down = Error{Fault::unreachable, "connection refused", {}};
    pass(time);
    host_->api_down.reset();
}

void Run::rotate_by_hand() {
    if (!agent_->request_rotation({.trigger = "by hand"})) return;
    ++seen_["rotated by hand"];
    by_hand_ = true;
    pass(hours{1});
    by_hand_ = false;
}

void Run::pause() {
    const Milliseconds time = dice_.between(hours{1}, days{20});
    if (!agent_->decide(Decision::pause)) return;
    excuse("paused", time);
    pass(time);
    static_cast<void>(agent_->decide(Decision::resume).has_value());
}

void Run::disturb() {
    switch (dice_.between(0, 7)) {
        case 0: return set_clock_wrong();
        case 1: return suspend();
        case 2: return switch_off();
        case 3: return lose_state();
        case 4: return move();
        case 5: return silence_api();
        case 6: return rotate_by_hand();
        default: return pause();
    }
}

std::optional<std::string> Run::to_the_end() {
    const WallTime end = now() + days{365 * run_years};
    start();
    pass(minutes{2});
    host_->start_units();
    while (now() < end && failure_.empty()) {
        pass(dice_.between(hours{1}, days{60}));
        check_age(now());
        if (failure_.empty()) disturb();
    }
    if (failure_.empty()) return std::nullopt;
    return failure_;
}

}  // namespace

std::optional<std::string> run_years_of(std::uint64_t seed, Seen& seen,
                                        const std::function<void(const std::string&)>& tell) {
    return Run(seed, seen, tell).to_the_end();
}

}  // namespace keyturn::years
