#include "schedule/due.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

using std::chrono::hours;
using std::chrono::sys_days;
using std::chrono::year;

constexpr WallTime first_seen = sys_days{year{2026} / 3 / 1} + hours{2};
constexpr WallTime last_done = sys_days{year{2026} / 4 / 10} + hours{3};

RotatePolicy every(Milliseconds age) {
    RotatePolicy policy;
    policy.every = age;
    return policy;
}

TEST(NextDue, NeverForATunnelThatIsRotatedOnDemand) {
    EXPECT_EQ(next_due(every(Milliseconds{0}), first_seen, std::nullopt), std::nullopt);
    EXPECT_EQ(next_due(every(Milliseconds{0}), first_seen, last_done), std::nullopt);
}

TEST(NextDue, CountsFromTheLastRotation) {
    EXPECT_EQ(next_due(every(hours{24 * 30}), first_seen, last_done),
              sys_days{year{2026} / 5 / 10} + hours{3});
}

TEST(NextDue, CountsFromFirstSeenWithoutHistory) {
    EXPECT_EQ(next_due(every(hours{24 * 30}), first_seen, std::nullopt),
              sys_days{year{2026} / 3 / 31} + hours{2});
}

TEST(NextDue, CountsFromTheLastRotationEvenIfTheTunnelWasSeenLater) {
    // A state directory that was lost and made anew beside a history that was kept.
    EXPECT_EQ(next_due(every(hours{1}), last_done, first_seen), first_seen + hours{1});
}

TEST(NextDue, MayLieInThePast) {
    // One catch-up after downtime: the caller sees that it is late and starts once.
    const auto due = next_due(every(Milliseconds{1}), first_seen, std::nullopt);
    EXPECT_EQ(due, first_seen + Milliseconds{1});
}

TEST(NextDue, LeavesTheMinimumIntervalToTheRotation) {
    RotatePolicy policy = every(hours{1});
    policy.min_interval = hours{24};
    EXPECT_EQ(next_due(policy, first_seen, last_done), last_done + hours{1});
}

TEST(NextDue, KeepsTheMillisecond) {
    const WallTime done = last_done + Milliseconds{7};
    EXPECT_EQ(next_due(every(Milliseconds{250}), first_seen, done), done + Milliseconds{250});
}

}  // namespace
}  // namespace keyturn
