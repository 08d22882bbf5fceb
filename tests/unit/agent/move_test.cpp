// Root moves units onto the token file or off it, and keyturnd proves that by a restart.

#include "unit/agent/agent_fixture.hpp"

#include <algorithm>

namespace keyturn {
namespace {

using std::chrono::days;

class MoveTest : public TunnelAgentTest {
  protected:
    static RotationRequest adopt(std::vector<std::string> units = {}) {
        return {.kind = RotationKind::adopt, .units = std::move(units)};
    }

    static RotationRequest release(std::vector<std::string> units = {}) {
        return {.kind = RotationKind::release, .units = std::move(units)};
    }

    /// Root has given this unit a token file of its own.
    void set_apart(const std::string& name) {
        host_->units.at(name).settings.emplace();
        host_->units.at(name).settings->exec_start = {
            {"cloudflared", "tunnel", "run", "--token-file", "/etc/cloudflared/own-token"}};
    }

    /// The preflight finds the reason before any time passes.
    void expect_refusal(const RotationRequest& rotation, const char* why) {
        request(rotation);
        const auto refused = [&] {
            return status().state == "idle" && status().last_outcome == "refused" &&
                   status().reason.find(why) != std::string::npos;
        };
        EXPECT_TRUE(run_until(refused, 1min)) << status().reason;
    }

    [[nodiscard]] TunnelState state() { return **states_->load("web"); }

    [[nodiscard]] UnitStart start_of(const std::string& unit) {
        const std::vector<UnitStart> starts = state().starts;
        const auto found = std::ranges::find(starts, unit, &UnitStart::unit);
        EXPECT_NE(found, starts.end()) << unit;
        return found == starts.end() ? UnitStart{} : *found;
    }
};

TEST_F(MoveTest, RestartsTheUnitsAndChangesNothingElse) {
    start_serving();
    const std::string token = host_->api_token_text();
    const std::vector<std::string> retired = state().retired;
    rotate(adopt());
    EXPECT_EQ(status().last_outcome, "adopted");
    EXPECT_EQ(status().trigger, "adopt");
    EXPECT_EQ(restarts(), 2);
    EXPECT_THAT(host_->secrets_sent, SizeIs(0));
    EXPECT_EQ(host_->api_token_text(), token);
    EXPECT_FALSE(status().last_done);
    EXPECT_FALSE(keeps_secrets());
    EXPECT_EQ(state().retired, retired);
    for (const std::string& unit : {a, b}) {
        EXPECT_TRUE(start_of(unit).certain) << unit;
        EXPECT_EQ(start_of(unit).fingerprint, state().delivered) << unit;
    }
    EXPECT_THAT(status().notes, SizeIs(0));
    EXPECT_FALSE(told(EventKind::foreign_rotation));
}

TEST_F(MoveTest, RestartsOnlyWhatItIsAskedTo) {
    start_serving();
    RotationRequest request = adopt({a});
    request.trigger = "step one";
    rotate(request);
    EXPECT_EQ(status().trigger, "adopt: step one");
    EXPECT_EQ(first().restarts, 1);
    EXPECT_EQ(second().restarts, 0);
    pass(1h);
    EXPECT_TRUE(start_of(a).certain);
}

TEST_F(MoveTest, ReleasesUnitsOneAfterTheOther) {
    start_serving();
    std::set<std::string> ids;
    for (const std::string& unit : {a, b}) {
        expect_refusal(release({unit}), "still takes its token from keyturn's token file");
        set_apart(unit);
        rotate(release({unit}));
        EXPECT_EQ(status().last_outcome, "released") << status().reason;
        ids.insert(status().rotation_id);
    }
    EXPECT_EQ(restarts(), 2);
    EXPECT_THAT(ids, SizeIs(2));
}

TEST_F(MoveTest, NeitherWaitsForTheIntervalNorStartsIt) {
    start_serving();
    rotate();
    const auto last_done = status().last_done;
    rotate(adopt());
    EXPECT_EQ(status().last_outcome, "adopted");
    EXPECT_EQ(status().last_done, last_done);
    pass(days{2});
    rotate(adopt());
    rotate();
    EXPECT_EQ(status().last_outcome, "done");
}

TEST_F(MoveTest, IsRefusedForAUnitOfAnotherTunnelAndWithoutTheRightToken) {
    start_serving();
    expect_refusal(adopt({"other.service"}), "other.service is not a unit of web");
    host_->rotate_by_somebody_else('x');
    expect_refusal(adopt(), "wait until keyturnd has taken it over");
    EXPECT_EQ(restarts(), 0);
}

TEST_F(MoveTest, IsRefusedDuringAPauseAndDuringARotation) {
    start_serving();
    decide(Decision::pause);
    EXPECT_EQ(agent_->request_rotation(adopt()).error().fault, Fault::denied);
    decide(Decision::resume);
    request();
    ASSERT_TRUE(run_until_soak());
    const Result<void> open = agent_->request_rotation(adopt());
    EXPECT_EQ(open.error().fault, Fault::conflict);
    EXPECT_EQ(open.error().text,
              "a rotation of web is already open; try again when it has ended; see `keyturnctl "
              "status web`");
    ASSERT_TRUE(run_until_state("idle"));
    first().ignores_starts = true;
    request(adopt());
    ASSERT_TRUE(run_until_state("held"));
    EXPECT_THAT(agent_->request_rotation(adopt()).error().text,
                HasSubstr("end it first with `keyturnctl retry web` or `keyturnctl revert web`"));
}

TEST_F(MoveTest, IsUndoneAfterAHold) {
    start_serving();
    second().ignores_starts = true;
    request(adopt());
    ASSERT_TRUE(run_until_state("held"));
    EXPECT_EQ(status().kind, "adopt");
    EXPECT_TRUE(status().can_revert);
    EXPECT_EQ(first().restarts, 1);
    second().ignores_starts = false;
    restart();
    ASSERT_TRUE(run_until_state("held"));
    // Root's tool has restored its files, and starts what does not run.
    host_->restart_by_hand(second());
    decide(Decision::revert);
    ASSERT_TRUE(run_until_state("idle")) << status().reason;
    EXPECT_EQ(status().last_outcome, "reverted");
    EXPECT_THAT(status().reason, HasSubstr("The units of web run as before: 2 units serve"));
    EXPECT_EQ(first().restarts, 2);
    EXPECT_EQ(second().restarts, 2);
    EXPECT_THAT(host_->secrets_sent, SizeIs(0));
    expect_all_connected();
    EXPECT_FALSE(status().last_done);
}

TEST_F(MoveTest, ContinuesOverRestartsInEveryMoment) {
    start_serving();
    request(adopt());
    pass(1ms);
    for (int stops = 0; stops < 60 && status().last_outcome != "adopted"; ++stops) {
        restart();
        pass(stops % 8 == 7 ? Milliseconds{11min} : 150ms);
    }
    ASSERT_TRUE(run_until_state("idle"));
    EXPECT_EQ(status().last_outcome, "adopted");
    EXPECT_EQ(restarts(), 2);
    EXPECT_THAT(host_->secrets_sent, SizeIs(0));
}

TEST_F(MoveTest, GivesWayToACompromise) {
    start_serving();
    request(adopt());
    ASSERT_TRUE(run_until_soak());
    request({.kind = RotationKind::compromise});
    ASSERT_TRUE(run_until_state("idle"));
    EXPECT_EQ(status().last_outcome, "done");
    EXPECT_THAT(host_->secrets_sent, SizeIs(1));
    EXPECT_TRUE(file_holds_the_api_token());
    expect_all_connected();
}

TEST_F(MoveTest, EndsOnASecretThatSomebodyElseSets) {
    start_serving();
    request(adopt({a}));
    ASSERT_TRUE(run_until([&] { return first().restarts == 1; }));
    host_->rotate_by_somebody_else('x');
    ASSERT_TRUE(run_until_state("idle", 3h));
    EXPECT_EQ(status().last_outcome, "taken over");
    EXPECT_THAT(host_->secrets_sent, SizeIs(0));
    EXPECT_TRUE(file_holds_the_api_token());
    expect_all_connected();
}

}  // namespace
}  // namespace keyturn
