// Every state has a way out: the commands that a tunnel accepts in each state that an operator can
// meet. The tunnel refuses every other command with a reason that names what is possible.

#include "unit/agent/agent_fixture.hpp"

#include <map>
#include <set>

namespace keyturn {
namespace {

using Commands = std::set<std::string>;

struct Row {
    std::string state;  ///< As an operator would call it.
    std::string shown;  ///< As status shows it.
    Commands accepted;
    std::string reason;  ///< A part of the error of a refused `compromised`, or else of `retry`.
};

/// Brings a tunnel into a state and tries every command there, each in a new tunnel.
class WayOutTest : public TunnelAgentTest, public testing::WithParamInterface<Row> {
  protected:
    Result<void> say(const std::string& command) {
        if (command == "retry") return agent_->decide(Decision::retry);
        if (command == "revert") return agent_->decide(Decision::revert);
        if (command == "pause") return agent_->decide(Decision::pause);
        if (command == "resume") return agent_->decide(Decision::resume);
        RotationRequest request;
        if (command != "rotate") request.kind = RotationKind::compromise;
        request.evict_all = command == "evict all";
        return agent_->request_rotation(request);
    }

    void reach(const std::string& state) {
        start_serving();
        if (state == "idle") return;
        if (state == "paused") {
            ASSERT_TRUE(say("pause"));
            return;
        }
        const bool compromise = state.find("compromise") != std::string::npos;
        const bool everybody = state.find("everybody") != std::string::npos;
        first().ignores_starts = state.starts_with("held");
        if (compromise && state.starts_with("waiting")) host_->api_down = no_answer;
        std::string command = compromise ? "compromised" : "rotate";
        if (everybody) command = "evict all";
        ASSERT_TRUE(say(command));
        if (compromise || state == "held") return;
        ASSERT_TRUE(run_until_soak());
        if (state == "waiting") host_->api_down = no_answer;
    }

    /// Leads the tunnel out as an operator would: retry, and if that is not enough, drop every
    /// connector.
    void lead_out() {
        const auto over = [this] {
            const std::string state = status().state;
            return state == "idle" || state == "paused" || state == "held";
        };
        pass(5s);
        for (const std::string command : {"retry", "evict all"}) {
            ASSERT_TRUE(run_until(over, 3h)) << status().reason;
            if (status().state != "held") return;
            ASSERT_TRUE(say(command)) << command;
            pass(5s);
        }
        ASSERT_TRUE(run_until(over, 3h)) << status().reason;
        EXPECT_NE(status().state, "held") << status().reason;
    }
};

const std::vector<std::string> all_commands{"rotate", "compromised", "evict all", "retry",
                                            "revert", "pause",       "resume"};

TEST_P(WayOutTest, IsThereAndNoOtherCommandIsAccepted) {
    const Row& row = GetParam();
    reach(row.state);
    ASSERT_TRUE(run_until_state(row.shown)) << row.state;
    Commands accepted;
    for (const std::string& command : all_commands) {
        // An accepted command changes the state, so try one at a time, the least disruptive first.
        if (row.accepted.contains(command)) continue;
        const Result<void> result = say(command);
        EXPECT_FALSE(result) << command << " while " << row.state;
        if (!result) {
            EXPECT_FALSE(result.error().text.empty());
        }
    }
    EXPECT_EQ(status().state, row.shown) << "what is refused changes nothing";
    EXPECT_FALSE(row.accepted.empty());
    if (!row.reason.empty()) {
        const Result<void> refused = say("compromised");
        ASSERT_FALSE(refused);
        EXPECT_THAT(refused.error().text, HasSubstr(row.reason));
    }
}

TEST_P(WayOutTest, LeadsToTheEndOnceTheFaultIsGone) {
    const Row& row = GetParam();
    for (const std::string& command : row.accepted) {
        if (command == "pause" || command == "resume") continue;
        SCOPED_TRACE(command);
        reach(row.state);
        ASSERT_TRUE(run_until_state(row.shown));
        const Result<void> accepted = say(command);
        ASSERT_TRUE(accepted) << accepted.error().text;
        host_->api_down.reset();
        for (auto& [name, known] : host_->units) known.ignores_starts = false;
        lead_out();
        EXPECT_TRUE(file_holds_the_api_token());
        stop();
        std::filesystem::remove_all(directory_ / "state");
        std::filesystem::remove_all(directory_ / "history");
        reopen_state();
    }
}

INSTANTIATE_TEST_SUITE_P(
    States, WayOutTest,
    testing::Values(
        Row{"idle", "idle", {"rotate", "compromised", "evict all", "pause"}, ""},
        Row{"paused", "paused", {"compromised", "evict all", "resume"}, ""},
        Row{"running", "running", {"compromised", "evict all", "revert", "pause"}, ""},
        Row{"waiting", "waiting", {"compromised", "evict all", "revert", "pause"}, ""},
        Row{"held", "held", {"compromised", "evict all", "retry", "revert", "pause"}, ""},
        Row{"waiting compromise", "waiting", {"evict all", "pause"}, "--evict-all"},
        Row{"held compromise", "held", {"evict all", "retry", "pause"}, "keyturnctl retry web"},
        Row{"held compromise, everybody",
            "held",
            {"evict all", "retry", "pause"},
            "keyturnctl retry web"},
        Row{"waiting compromise, everybody", "waiting", {"evict all", "pause"}, "already"}),
    [](const testing::TestParamInfo<Row>& row) {
        std::string name = row.param.state;
        std::erase_if(name, [](char c) { return c == ' ' || c == ','; });
        return name;
    });

}  // namespace
}  // namespace keyturn
