#include "agent/tunnels.hpp"

#include "agent/splay.hpp"
#include "delivery/token_store.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>

#include <algorithm>
#include <utility>

namespace keyturn {

Tunnels::Tunnels(boost::asio::io_context& context, const SharedWorld& world, std::string host_id,
                 std::function<void(const std::string&)> changed,
                 std::function<void(std::exception_ptr)> ended, MakeTunnel make)
    : context_(context),
      world_(world),
      host_id_(std::move(host_id)),
      changed_(std::move(changed)),
      ended_(std::move(ended)),
      make_(std::move(make)) {
    if (make_) return;
    make_ = [this](TunnelPolicy policy, double share, const Dependencies& dependencies,
                   std::function<void(const ManagedTunnel&)> changed_status) {
        return std::make_unique<TunnelAgent>(context_.get_executor(), std::move(policy), share,
                                             dependencies, world_.log, std::move(changed_status));
    };
}

std::vector<std::string> Tunnels::adopt(std::vector<TunnelPolicy> policies,
                                        std::shared_ptr<Accounts> accounts) {
    accounts_ = std::move(accounts);
    claims_.take(policies);
    for (Slot& slot : slots_) {
        slot.outdated = true;
        slot.next.reset();
    }
    std::vector<std::string> new_ones;
    for (TunnelPolicy& policy : policies) {
        if (Slot* slot = slot_of(policy.name)) {
            slot->next = std::make_unique<TunnelPolicy>(std::move(policy));
            continue;
        }
        Slot& slot = slots_.emplace_back();
        by_name_.emplace(policy.name, &slot);
        fill(slot, std::move(policy));
        if (slot.agent->idle()) new_ones.push_back(slot.agent->name());
    }
    // What a crash has left in the middle of a write. An open rotation needs its files.
    world_.tokens.sweep(new_ones);
    std::vector<std::string> staying;
    for (const Slot& slot : slots_) {
        const bool stays = !slot.agent->idle() && !slot.agent->takes_a_new_policy();
        if (slot.outdated && stays) staying.push_back(slot.agent->name());
    }
    replace_later();
    return staying;
}

void Tunnels::fill(Slot& slot, TunnelPolicy policy) {
    slot.agent.reset();
    slot.accounts = accounts_;
    const Dependencies world{world_.clock,  slot.accounts->api(policy.credential),
                             world_.units,  world_.connectors,
                             world_.tokens, world_.states,
                             world_.random, world_.budget,
                             &claims_};
    const double share = splay_share(host_id_, policy.name);
    slot.agent = make_(std::move(policy), share, world, [this, &slot](const ManagedTunnel& agent) {
        changed_(agent.name());
        if (slot.outdated) replace_later();
    });
    slot.agent->load();
    slot.cancellation.reset();
    slot.outdated = slot.ending = false;
}

void Tunnels::start() {
    for (Slot& slot : slots_) {
        if (!slot.cancellation) start(slot);
    }
}

void Tunnels::start(Slot& slot) {
    slot.running = true;
    slot.cancellation = std::make_unique<boost::asio::cancellation_signal>();
    auto report = [this, &slot](std::exception_ptr error) { loop_ended(slot, error); };
    boost::asio::co_spawn(context_, slot.agent->run(),
                          boost::asio::bind_cancellation_slot(slot.cancellation->slot(), report));
}

void Tunnels::stop() {
    stopping_ = true;
    for (Slot& slot : slots_) {
        if (slot.running) slot.cancellation->emit(boost::asio::cancellation_type::terminal);
    }
}

std::size_t Tunnels::running() const {
    return static_cast<std::size_t>(std::ranges::count(slots_, true, &Slot::running));
}

void Tunnels::loop_ended(Slot& slot, std::exception_ptr error) {
    slot.running = false;
    if (slot.ending) {
        error = nullptr;
        replace_later();
    }
    ended_(error);
}

/// Posted, because the caller may be the agent that is replaced.
void Tunnels::replace_later() {
    if (std::exchange(replacing_, true)) return;
    boost::asio::post(context_, [this] { replace_idle(); });
}

void Tunnels::replace_idle() {
    replacing_ = false;
    if (stopping_) return;
    for (auto slot = slots_.begin(); slot != slots_.end();) {
        const auto here = slot++;
        if (!here->outdated || !here->agent->takes_a_new_policy()) continue;
        if (!here->running) {
            const std::string name = here->agent->name();
            if (here->next) {
                TunnelPolicy policy = std::move(*std::exchange(here->next, nullptr));
                fill(*here, std::move(policy));
                start(*here);
            } else {
                by_name_.erase(name);
                slots_.erase(here);
            }
            changed_(name);
        } else if (!std::exchange(here->ending, true)) {
            here->cancellation->emit(boost::asio::cancellation_type::terminal);
        }
    }
}

void Tunnels::wall_clock_set() {
    for (Slot& slot : slots_) slot.agent->wall_clock_set();
}

void Tunnels::unit_job_ended(const std::string& unit) {
    for (Slot& slot : slots_) slot.agent->unit_job_ended(unit);
}

Tunnels::Slot* Tunnels::slot_of(const std::string& name) {
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : found->second;
}

ManagedTunnel* Tunnels::find(const std::string& name) {
    Slot* const slot = slot_of(name);
    // An agent that is ending would accept requests that nobody carries out.
    return slot == nullptr || slot->ending ? nullptr : slot->agent.get();
}

std::vector<std::string> Tunnels::names() const {
    std::vector<std::string> names;
    for (const Slot& slot : slots_) names.push_back(slot.agent->name());
    return names;
}

std::optional<TunnelStatus> Tunnels::status(const std::string& name) {
    const Slot* const slot = slot_of(name);
    if (slot == nullptr) return std::nullopt;
    return slot->agent->status();
}

std::vector<TunnelStatus> Tunnels::statuses() const {
    std::vector<TunnelStatus> statuses;
    for (const Slot& slot : slots_) statuses.push_back(slot.agent->status());
    return statuses;
}

std::vector<TunnelPlan> Tunnels::plans(std::size_t count) const {
    std::vector<TunnelPlan> plans;
    for (const Slot& slot : slots_) plans.push_back(slot.agent->plan(count));
    return plans;
}

}  // namespace keyturn
