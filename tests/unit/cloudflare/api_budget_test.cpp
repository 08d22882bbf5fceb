#include "cloudflare/api_budget.hpp"

#include "cloudflare/answer_headers.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

class ApiBudgetTest : public testing::Test {
  protected:
    [[nodiscard]] bool call(const std::string& credential = "main") {
        return budget_.admit(credential, now_).at <= now_;
    }

    /// Makes as many calls as there are, up to `most`, and says how many there were.
    int call_often(int most = 2'000, const std::string& credential = "main") {
        int made = 0;
        while (made < most && call(credential)) ++made;
        return made;
    }

    [[nodiscard]] Milliseconds wait_for_a_call(const std::string& credential = "main") {
        return budget_.admit(credential, now_).at - now_;
    }

    void hear(int left, std::chrono::seconds reset, int quota = 1'200,
              std::chrono::seconds window = 300s) {
        budget_.heard("main", {RateLimit{"default", left, reset, quota, window}}, now_);
    }

    Milliseconds wait_for_a_turn(ApiBudget::Slot& turn,
                                 ApiBudget::Use errand = ApiBudget::Use::look) {
        return budget_.slot_for(errand, turn, "main", now_) - now_;
    }

    ApiBudget budget_;
    BootTime now_{1h};
};

TEST_F(ApiBudgetTest, AdmitsSixHundredCallsInAnyFiveMinutes) {
    EXPECT_EQ(call_often(100), 100);
    now_ += 2min;
    EXPECT_EQ(call_often(), 500);
    EXPECT_EQ(wait_for_a_call(), 3min) << "until the first of them are five minutes old";
    EXPECT_THAT(std::string(budget_.admit("main", now_).why), HasSubstr("allows in 5 minutes"));
    now_ += 3min - 1ms;
    EXPECT_FALSE(call());
    now_ += 1ms;
    EXPECT_EQ(call_often(), 100);
    now_ += 5min;
    EXPECT_EQ(call_often(), 600);
}

TEST_F(ApiBudgetTest, IsOneForAllCredentialsBecauseTheyMayBelongToOneUser) {
    EXPECT_EQ(call_often(400, "main"), 400);
    EXPECT_EQ(call_often(2'000, "other"), 200);
    EXPECT_FALSE(call("third"));
}

TEST_F(ApiBudgetTest, SpendsHalfOfWhatCloudflareSaysIsLeftHoweverOftenItSaysSo) {
    int left = 101;  // Others have used the rest.
    int made = 0;
    hear(left, 100s);
    while (call()) {
        ++made;
        hear(--left, 100s);
    }
    EXPECT_EQ(made, 50);
    EXPECT_EQ(wait_for_a_call(), 101s) << "the reset is told in whole seconds";
    EXPECT_THAT(std::string(budget_.admit("main", now_).why),
                HasSubstr("Cloudflare says are left"));
    EXPECT_TRUE(call("other")) << "it was said to one credential";
    now_ += 101s;
    EXPECT_EQ(call_often(), 549) << "a new window";
}

TEST_F(ApiBudgetTest, LosesNothingBecauseOfItsOwnCalls) {
    int made = 0;
    while (call()) hear(1'200 - ++made, 200s);
    EXPECT_EQ(made, 600);
}

TEST_F(ApiBudgetTest, GivesWayWhenOthersCallMeanwhile) {
    hear(1'200, 200s);
    EXPECT_EQ(call_often(10), 10);
    hear(30, 200s);
    EXPECT_EQ(call_often(), 10) << "40 were left with ours, so ours are 20 of them";
    hear(1, 200s);
    EXPECT_EQ(call_often(), 0);
}

TEST_F(ApiBudgetTest, KeepsToAShortLimitBesidesTheLongOne) {
    const RateLimit burst{"burst", 10, 5s, 10, 5s};
    budget_.heard("main", {burst, RateLimit{"default", 1'200, 300s, 1'200, 300s}}, now_);
    EXPECT_EQ(call_often(), 5);
    EXPECT_EQ(wait_for_a_call(), 6s);
    now_ += 6s;
    EXPECT_EQ(call_often(), 5) << "nobody has said yet how much is left, but the quota is known";
    now_ += 5s;
    EXPECT_EQ(call_often(), 5);
}

TEST_F(ApiBudgetTest, ForgetsALimitWithoutAQuotaWhenItIsOver) {
    hear(4, 5s, 0, 0s);
    EXPECT_EQ(call_often(), 2);
    now_ += 6s;
    EXPECT_EQ(call_often(), 598);
}

TEST_F(ApiBudgetTest, TakesCallsOfAnotherWindowForNothing) {
    EXPECT_EQ(call_often(300), 300);
    now_ += 1min;
    hear(1'190, 300s);  // A window has just begun, and somebody made ten calls in it.
    EXPECT_EQ(call_often(), 300);
}

TEST_F(ApiBudgetTest, IsQuietForAsLongAsCloudflareWants) {
    budget_.throttled("main", 42s, now_);
    EXPECT_EQ(wait_for_a_call(), 42s);
    EXPECT_THAT(std::string(budget_.admit("main", now_).why), HasSubstr("limits the calls"));
    EXPECT_TRUE(call("other"));
    ApiBudget::Slot turn;
    EXPECT_EQ(wait_for_a_turn(turn), 42s);
    now_ += 42s;
    EXPECT_TRUE(call());
    budget_.throttled("main", 9'999s, now_);
    EXPECT_EQ(wait_for_a_call(), retry_after_max);
}

TEST_F(ApiBudgetTest, IsQuietForLongerEachTimeWhereCloudflareDoesNotSayForHowLong) {
    for (const Milliseconds quiet : {1s, 2s, 4s, 8s, 16s, 32s, 60s, 60s}) {
        budget_.throttled("main", 0s, now_);
        budget_.throttled("main", 0s, now_);  // Another call that was under way.
        EXPECT_EQ(wait_for_a_call(), quiet);
        now_ += quiet;
    }
    ASSERT_TRUE(call());
    budget_.answered("main");
    budget_.throttled("main", 0s, now_);
    EXPECT_EQ(wait_for_a_call(), 1s);
}

TEST_F(ApiBudgetTest, GivesTurnsThatUseUpWhatIsNotKept) {
    std::vector<ApiBudget::Slot> turns(1'000);
    for (int i = 0; i < 1'000; ++i) {
        EXPECT_EQ(wait_for_a_turn(turns[static_cast<std::size_t>(i)]), i * 1'500ms);
    }
    ApiBudget::Slot start;
    EXPECT_EQ(wait_for_a_turn(start, ApiBudget::Use::start), 0ms) << "looks are not in its way";
    ApiBudget::Slot next;
    EXPECT_EQ(wait_for_a_turn(next, ApiBudget::Use::start), 12s);
    EXPECT_EQ(call_often(2), 2);
    const BootTime end = now_ + 5min;
    for (std::size_t i = 1; i < 200; ++i) {
        now_ = turns[i].next;
        EXPECT_EQ(wait_for_a_turn(turns[i]), 0ms);
        EXPECT_EQ(call_often(2), 2);
    }
    now_ = end - 1ms;
    EXPECT_EQ(call_often(), 200) << "what is kept";
}

TEST_F(ApiBudgetTest, LetsLooksWaitWhileLittleIsLeftThenStartsAndOpenRotationsLast) {
    ApiBudget::Slot look;
    ApiBudget::Slot start;
    EXPECT_EQ(call_often(399), 399);
    EXPECT_EQ(wait_for_a_turn(look), 5min);
    EXPECT_EQ(wait_for_a_turn(start, ApiBudget::Use::start), 0ms);
    EXPECT_EQ(call_often(100), 100);
    now_ += 1min;
    EXPECT_EQ(wait_for_a_turn(start, ApiBudget::Use::start), 4min);
    EXPECT_EQ(call_often(), 101);
    EXPECT_FALSE(call());
}

TEST_F(ApiBudgetTest, KeepsTheSameShareOfASmallerLimit) {
    ApiBudget::Slot turn;
    hear(120, 60s, 120, 60s);
    EXPECT_EQ(wait_for_a_turn(turn), 0ms);
    now_ += 2s;
    EXPECT_EQ(call_often(39), 39);
    EXPECT_EQ(wait_for_a_turn(turn), 59s) << "20 of our 60 are kept";
    EXPECT_EQ(call_often(), 21);
}

TEST_F(ApiBudgetTest, NeverWaitsForEverHoweverSmallALimitIs) {
    for (const int quota : {1, 2, 3, 5, 20}) {
        budget_ = ApiBudget();
        hear(0, 9s, quota, 86'400s);
        EXPECT_EQ(wait_for_a_call(), 10s) << quota;
        for (const auto errand : {ApiBudget::Use::look, ApiBudget::Use::start}) {
            ApiBudget::Slot turn;
            for (int asked = 0; wait_for_a_turn(turn, errand) > 0ms; ++asked) {
                ASSERT_LE(asked, 2) << quota;
                ASSERT_LE(wait_for_a_turn(turn, errand), 10s) << quota;
                now_ = turn.next;
            }
        }
        EXPECT_EQ(call_often(), std::max(1, quota / 2));
        EXPECT_LE(wait_for_a_call(), retry_after_max) << "an answer may say something else by then";
    }
}

TEST_F(ApiBudgetTest, GivesATurnOnceAndNotForEver) {
    ApiBudget::Slot first;
    ApiBudget::Slot second;
    EXPECT_EQ(wait_for_a_turn(first), 0ms);
    EXPECT_EQ(wait_for_a_turn(first), 1'500ms) << "another errand of the same tunnel";
    EXPECT_EQ(wait_for_a_turn(first), 1'500ms) << "asking too early changes nothing";
    EXPECT_EQ(wait_for_a_turn(second), 3s);
    now_ += 10min;
    EXPECT_EQ(wait_for_a_turn(first), 0ms) << "it was given up, and is an errand like any other";
    EXPECT_EQ(wait_for_a_turn(second), 1'500ms);
}

TEST_F(ApiBudgetTest, LooksAtLastThoughRotationsLeaveItHardlyAnything) {
    ApiBudget::Slot turn;
    const BootTime wanted = now_;
    Milliseconds wait{};
    do {
        call_often(500);
        wait = wait_for_a_turn(turn);
        now_ += wait;
        ASSERT_LE(now_ - wanted, 2h);
    } while (wait > 0ms);
    EXPECT_GE(now_ - wanted, slot_patience);
    EXPECT_LE(now_ - wanted, slot_patience + budget_window);
}

}  // namespace
}  // namespace keyturn
