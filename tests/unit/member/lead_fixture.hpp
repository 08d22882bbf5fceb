#pragma once

#include "cloudflare/api_budget.hpp"
#include "delivery/token_store.hpp"
#include "fakes/fake_host.hpp"
#include "fakes/fake_object.hpp"
#include "fakes/matchers.hpp"
#include "fakes/sandbox.hpp"
#include "fakes/small_fleet.hpp"
#include "member/fleet_states.hpp"
#include "member/lead_executor.hpp"
#include "state/state_store.hpp"
#include "token/random.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>

namespace keyturn {

/// host-1 leads a rotation over the units of two hosts. host-2 is what the test writes into the
/// object.
class LeadExecutorTest : public testing::Test {
  protected:
    LeadExecutorTest() {
        cloud_.rotate_by_somebody_else('O');
        list({listed(connector_of(1)), listed(connector_of(2))});
        leading_.deposed = [this] { ++deposed_; };
    }

    /// The object has this, and host-1 has just read it. If it leads, it knows that.
    void lead(const FleetDocument& document = rolling_fleet()) {
        object_.put(document);
        look();
        state_ = document.state;
        if (document.lead) leading_.lead = Leadership{"host-1", document.epoch};
    }

    /// The same before the PATCH: the new token is sealed, and every host has it.
    static FleetDocument prepared() {
        FleetDocument document = rolling_fleet();
        document.state.rotation->phase = Phase::prepare;
        document.deliver = old_print;
        for (auto& [host, member] : document.members) member.file = old_print;
        return document;
    }

    /// The same before host-2 has stored the token.
    static FleetDocument unstaged() {
        FleetDocument document = prepared();
        document.members.at("host-2").staged = "";
        return document;
    }

    /// host-2 stores it.
    void stage() {
        object_.change([](FleetDocument& staged) {
            staged.members.at("host-2").staged = fleet_rotation;
            return Result<void>();
        });
    }

    /// What the heart saves next then.
    static SaveRecord committing(const FleetDocument& document) {
        SaveRecord saving{*document.state.rotation};
        saving.record.phase = Phase::commit;
        return saving;
    }

    void look() {
        const auto seen = run(fleet_.look());
        ASSERT_TRUE(seen && *seen) << "the object cannot be read";
    }

    /// Nothing: it never ends.
    template <class Asked>
    std::optional<Result<typename Asked::Value>> begin(Asked question, Milliseconds limit = 30min) {
        return run(executor_.ask(std::move(question)), limit);
    }

    template <class Asked>
    Result<typename Asked::Value> ask(Asked question) {
        auto answer = begin(std::move(question));
        EXPECT_TRUE(answer) << "it never ends";
        return answer ? std::move(*answer) : Result<typename Asked::Value>(no_answer);
    }

    template <class Value>
    static Task<> keep(Task<Result<Value>> call, std::optional<Result<Value>>* outcome) {
        auto result = co_await std::move(call);
        outcome->emplace(std::move(result));
    }

    template <class Value>
    std::optional<Result<Value>> run(Task<Result<Value>> call, Milliseconds limit = 30min) {
        std::optional<Result<Value>> outcome;
        auto ended = [](const std::exception_ptr&) {};  // It may be cancelled below.
        boost::asio::co_spawn(context_, keep(std::move(call), &outcome),
                              boost::asio::bind_cancellation_slot(stop_.slot(), std::move(ended)));
        clock_.run_until([&] { return outcome.has_value(); }, limit);
        if (outcome) return outcome;
        stop_.emit(boost::asio::cancellation_type::terminal);
        clock_.run_until([] { return false; }, Milliseconds(0));
        return outcome;
    }

    void pass(Milliseconds time) {
        clock_.run_until([] { return false; }, time);
    }

    /// This happens while an action is under way.
    void after(Milliseconds wait, std::function<void()> what) {
        auto ended = [](const std::exception_ptr& why) { EXPECT_FALSE(why); };
        boost::asio::co_spawn(context_, do_later(clock_.boot_now() + wait, std::move(what)),
                              std::move(ended));
    }

    Task<> do_later(BootTime when, std::function<void()> what) {
        co_await clock_.sleep_until(when);
        what();
    }

    /// host-2 changes the object after this time.
    void after(Milliseconds wait, FleetTransition transition) {
        after(wait, std::function<void()>([this, transition = std::move(transition)] {
                  object_.change(transition);
              }));
    }

    /// host-1 reads the object after this time, as it does beside every action.
    void look_after(Milliseconds wait) {
        auto ended = [](const std::exception_ptr& why) { EXPECT_FALSE(why); };
        boost::asio::co_spawn(context_, look_later(clock_.boot_now() + wait), std::move(ended));
    }

    Task<> look_later(BootTime when) {
        co_await clock_.sleep_until(when);
        const auto seen = co_await fleet_.look();
        EXPECT_TRUE(seen) << "the object cannot be read";
    }

    void list(std::vector<Connector> connectors) { cloud_.strangers = std::move(connectors); }

    /// Both units, as the heart samples them.
    std::vector<SampleUnits::Sample> sample() {
        auto samples = ask(SampleUnits{{unit_of(1), unit_of(2)}});
        EXPECT_TRUE(samples);
        return samples ? std::move(*samples) : std::vector<SampleUnits::Sample>(2);
    }

    /// Restarts the unit of host-2 as the heart does: right after a sample.
    Result<RestartResult> restart(Milliseconds deadline = 60s) {
        sample();
        RestartUnit wish;
        wish.unit = unit_of(2);
        wish.deadline = deadline;
        wish.not_after = clock_.boot_now() + 10s;
        return ask(wish);
    }

    [[nodiscard]] std::vector<FleetTurn> turns() const { return object_.document().turns; }

    boost::asio::io_context context_{1};
    SimulatedClock clock_{context_};
    boost::asio::cancellation_signal stop_;
    FakeObject object_{clock_};
    FakeFleetMemory memory_;
    testing_files::Sandbox directory_{testing_files::Medium::memory};
    TunnelPolicy policy_ = web_policy({unit_of(1), unit_of(2)});
    std::unique_ptr<StateStore> history_ = *make_state_store(directory_.path());
    std::unique_ptr<TokenStore> files_ = make_token_store(directory_.path());
    std::unique_ptr<Random> random_ = make_random();
    FakeHost cloud_{clock_, web_policy({}), directory_ / "tokens/web"};
    ApiBudget budget_;
    Fleet fleet_{
        "web", tunnel_id, fleet_keys(),
        FleetMemories{"host-1", small_member(1).install, fleet_id, 0, small_member(1).mark, ""},
        FleetWorld{object_, clock_, *random_, memory_}};
    FleetTokens tokens_{*files_, fleet_.keys()};
    FleetStates states_{*history_, [] {}};
    TunnelState state_;
    Leading leading_;
    int deposed_ = 0;
    LeadExecutor executor_{
        policy_,
        state_,
        Dependencies{clock_, cloud_, cloud_, cloud_, tokens_, states_, *random_, budget_},
        fleet_,
        tokens_,
        leading_,
        FleetTimes()};
};

/// What host-2 does with its turn.
inline FleetTransition host_takes() {
    return [](FleetDocument& document) {
        const auto number = document.turn_of(unit_of(2))->number;
        // As the heart saves it before it asks for the restart.
        document.state.rotation->units[1].step = UnitStep::restarting;
        return take_turn(document, "host-2", number, process(200), new_print);
    };
}

inline FleetTransition host_ends(const Result<RestartResult>& outcome) {
    return [outcome](FleetDocument& document) {
        const auto number = document.turn_of(unit_of(2))->number;
        return end_turn(document, "host-2", number, outcome);
    };
}

/// What host-2 does when it has not seen a beat for long.
inline FleetTransition host_takes_over() {
    return [](FleetDocument& document) {
        return take_over(document, "host-2", SilentLead{document.epoch, document.lead});
    };
}

}  // namespace keyturn
