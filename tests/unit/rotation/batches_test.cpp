#include "rotation/batches.hpp"

#include "fakes/matchers.hpp"
#include "rotation/backoff.hpp"

namespace keyturn {
namespace {

TEST(BatchSizes, AreEqualWithTheSmallerOnesFirst) {
    EXPECT_THAT(batch_sizes(2, 2, false), ElementsAre(1, 1));
    EXPECT_THAT(batch_sizes(3, 2, false), ElementsAre(1, 2));
    EXPECT_THAT(batch_sizes(8, 3, false), ElementsAre(2, 3, 3));
    EXPECT_THAT(batch_sizes(6, 1, false), ElementsAre(6));
}

TEST(BatchSizes, AreOneEachWhenThereAreMoreBatchesThanUnits) {
    EXPECT_THAT(batch_sizes(2, 5, false), ElementsAre(1, 1));
    EXPECT_THAT(batch_sizes(1, 2, false), ElementsAre(1));
}

TEST(BatchSizes, StartWithACanary) {
    EXPECT_THAT(batch_sizes(5, 2, true), ElementsAre(1, 2, 2));
    EXPECT_THAT(batch_sizes(1, 2, true), ElementsAre(1));
}

TEST(Pause, GrowsAndObeysTheServer) {
    const Error down{Fault::unreachable, "down", {}};
    EXPECT_EQ(pause_after(0, down), 1s);
    EXPECT_EQ(pause_after(4, down), 8s);
    EXPECT_EQ(pause_after(1000, down), 60s);
    const Error busy{Fault::busy, "429", 30s};
    EXPECT_EQ(pause_after(0, busy), 30s);
    EXPECT_EQ(pause_after(7, busy), 60s);
}

}  // namespace
}  // namespace keyturn
