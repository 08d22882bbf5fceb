#include "fakes/crash_loop.hpp"
#include "fakes/file_faults.hpp"
#include "unit/agent/agent_fixture.hpp"

#include <array>
#include <cerrno>
#include <cstring>

namespace keyturn {
namespace {

using testing_files::arm;
using testing_files::disarm;
using testing_files::FaultPlan;

constexpr std::array errors{ENOSPC, EDQUOT, EIO, EROFS, EACCES, EMFILE, ENFILE, EINTR};

/// Runs one rotation while the disk fails and everything else works.
class RotationOnABadDisk : public TunnelAgentTest {
  public:
    RotationOnABadDisk() {
        policy_.rollout.soak = 2s;
        policy_.rollout.min_healthy_time = 1s;
        host_->on_patch = [this](std::string_view) {
            operations_before_the_patch = testing_files::trace().size();
        };
    }
    void TestBody() override {}

    /// Returns how many file operations there were while the disk was bad.
    std::size_t rotate_with(const FaultPlan& plan) {
        start_serving();
        old_token_ = host_->api_token_text();
        arm(plan);
        const Result<void> accepted = agent_->request_rotation({});
        accepted_ = accepted.has_value();
        EXPECT_TRUE(accepted || accepted.error().fault != Fault::conflict);
        pass(10min);
        const int operations = disarm();
        expect_old_or_new();
        return static_cast<std::size_t>(operations);
    }

    [[nodiscard]] bool patched() const { return !host_->secrets_sent.empty(); }

    /// The disk works again, and an operator retries what is held.
    void expect_a_good_end() {
        if (!accepted_) request();  // A request that cannot be written is not accepted.
        for (int retries = 0; retries < 3; ++retries) {
            if (run_until_state("idle", 10min)) break;
            ASSERT_EQ(status().state, "held");
            decide(Decision::retry);
        }
        ASSERT_EQ(status().state, "idle") << status().reason;
        const auto history = states_->history("web", 10);
        ASSERT_TRUE(history && history->size() == 1) << "accepted: " << accepted_;
        EXPECT_EQ(history->front().outcome, patched() ? Outcome::done : Outcome::refused);
        EXPECT_LE(host_->secrets_sent.size(), 1U);
        EXPECT_TRUE(file_holds_the_api_token());
        EXPECT_EQ(host_->api_token_text() != old_token_, patched());
        EXPECT_EQ(restarts(), patched() ? 2 : 0);
        EXPECT_FALSE(keeps_secrets());
        expect_all_connected();
    }

    std::size_t operations_before_the_patch = 0;

  private:
    void expect_old_or_new() {
        const auto token = tokens_->current("web");
        ASSERT_TRUE(token && *token) << "the token file is gone";
        const std::string text((*token)->reveal());
        EXPECT_TRUE(text == old_token_ || text == host_->api_token_text());
    }

    std::string old_token_;
    bool accepted_ = true;
};

/// Makes the n-th file operation of a rotation fail, with one error after the other: for each n up
/// to the PATCH, and for every third after it, where the same few writes come again and again.
void sweep(bool for_ever) {
    RotationOnABadDisk healthy;
    const std::size_t operations = healthy.rotate_with({});
    const std::size_t before_the_patch = healthy.operations_before_the_patch;
    healthy.expect_a_good_end();
    ASSERT_GT(before_the_patch, 40U);
    ASSERT_GT(operations, 2 * before_the_patch);
    const auto fail = [&](std::size_t at) {
        FaultPlan plan;
        plan.for_ever = for_ever;
        plan.at = static_cast<int>(at);
        plan.error = errors.at(at % errors.size());
        if (for_ever && plan.error == EINTR) return;  // No fault of a disk lasts for ever.
        SCOPED_TRACE(std::strerror(plan.error));
        RotationOnABadDisk world;
        world.rotate_with(plan);
        if (for_ever && at <= before_the_patch) {
            EXPECT_FALSE(world.patched()) << "keyturnd notices a bad disk before the PATCH";
        }
        world.expect_a_good_end();
    };
    at_each(points(1, before_the_patch), fail);
    at_each(points(before_the_patch, operations + 1, 3), fail);
}

TEST(DiskFaults, AtAnyOperationOnceStillEndInOneRotationOrNone) {
    sweep(false);
}

TEST(DiskFaults, FromAnyOperationOnAreWaitedOutAndEndInOneRotationOrNone) {
    sweep(true);
}

TEST(DiskFaults, ThatWriteHalfAreNoFaults) {
    FaultPlan plan;
    plan.at = 1;
    plan.for_ever = true;
    plan.short_write = true;
    RotationOnABadDisk world;
    world.rotate_with(plan);
    EXPECT_TRUE(world.patched());
    world.expect_a_good_end();
}

}  // namespace
}  // namespace keyturn
