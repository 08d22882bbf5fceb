#pragma once

#include "fakes/fake_object.hpp"
#include "fakes/matchers.hpp"
#include "fakes/small_fleet.hpp"
#include "fleet/fleet.hpp"

#include <boost/asio/co_spawn.hpp>

#include <memory>

namespace keyturn {

/// A host of a fleet that shares an object with others.
class FleetTest : public testing::Test {
  protected:
    FleetTest() {
        object_.put(rolling_fleet());
        remembered_.host = "host-2";
        remembered_.install = small_member(2).install;
        remembered_.fleet = fleet_id;
        remembered_.rev = 10;
        remembered_.mark = small_member(2).mark;
        begin();
    }

    /// As keyturnd does at its start: with what the disk has.
    void begin() {
        const auto kept = memory_.kept.find("web");
        if (kept != memory_.kept.end()) remembered_ = kept->second;
        fleet_ = std::make_unique<Fleet>("web", tunnel_id, fleet_keys(), remembered_,
                                         FleetWorld{object_, clock_, *random_, memory_});
    }

    using Outcome = std::optional<Result<FleetDocument>>;

    /// Begins a call; the clock runs on until it has ended.
    std::shared_ptr<Outcome> spawn(Task<Result<FleetDocument>> call) {
        auto outcome = std::make_shared<Outcome>();
        auto ended = [](const std::exception_ptr& why) { EXPECT_FALSE(why); };
        boost::asio::co_spawn(context_, keep(std::move(call), outcome), std::move(ended));
        return outcome;
    }

    static Task<> keep(Task<Result<FleetDocument>> call, std::shared_ptr<Outcome> outcome) {
        auto result = co_await std::move(call);
        outcome->emplace(std::move(result));
    }

    Result<FleetDocument> run(Task<Result<FleetDocument>> call) {
        const auto outcome = spawn(std::move(call));
        EXPECT_TRUE(clock_.run_until([&] { return outcome->has_value(); }, 5min));
        return *outcome ? std::move(**outcome) : Result<FleetDocument>(no_answer);
    }

    Result<FleetDocument> look() { return run(fleet_->look()); }
    Result<FleetDocument> change(const FleetTransition& transition, bool own = false) {
        return run(fleet_->change(transition, own));
    }
    Fault look_fault() {
        const Result<FleetDocument> seen = look();
        EXPECT_FALSE(seen);
        return seen ? Fault::cancelled : seen.error().fault;
    }

    /// What this host says about itself.
    Result<FleetDocument> report(std::uint64_t answers) {
        return change(
            [=](FleetDocument& document) {
                FleetMember member = document.members.at("host-2");
                member.answers = answers;
                return keyturn::report(document, "host-2", member);
            },
            true);
    }

    [[nodiscard]] std::uint64_t answers() const {
        return object_.document().members.at("host-2").answers;
    }

    boost::asio::io_context context_{1};
    SimulatedClock clock_{context_};
    FakeObject object_{clock_};
    FakeFleetMemory memory_;
    std::unique_ptr<Random> random_ = make_random();
    FleetMemories remembered_;
    std::unique_ptr<Fleet> fleet_;
};

}  // namespace keyturn
