#include "rotation/finish.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

class FinishTest : public ChapterAlone {
  protected:
    FinishTest() {
        add_proven_unit();
        context_.record.connectors_before = {"c-before"};
    }

    /// Passes the last check of the units, which are healthy.
    void come_to_the_list() {
        read(finish_.tell());
        agree<SaveRecord>();
        keep_answering<SampleUnits>(Samples{a_});
    }

    const Connector ours_ = listed("c-a");
    const Connector before_ = listed("c-before");
};

TEST_F(FinishTest, IsProvenOnTheDiskBeforeTheSecretsGo) {
    come_to_the_list();
    answer<ListConnectors>({ours_});
    show_token(Holder::ours);
    show_file();
    EXPECT_TRUE(asked<SaveRecord>().record.proven);
    agree<SaveRecord>();
    expect_next(ChapterName::conclusion);
    EXPECT_THAT(told(), IsEmpty());
}

TEST_F(FinishTest, IsHeldIfCloudflareDoesNotListOurs) {
    come_to_the_list();
    keep_answering<ListConnectors>(std::vector{before_});
    expect_held(HoldReason::not_listed, a);
}

TEST_F(FinishTest, ReportsConnectorsFromBeforeAndContinues) {
    come_to_the_list();
    keep_answering<ListConnectors>(std::vector{ours_, before_});
    EXPECT_THAT(told(), ElementsAre(EventKind::straggler_seen));
    EXPECT_TRUE(is_asked<ReadToken>());
}

TEST_F(FinishTest, StartsOverIfTheTokenHasChanged) {
    context_.record.request.kind = RotationKind::takeover;
    context_.inputs.policy.drift.restart = DriftRestart::never;
    read(finish_.tell());
    show_token(Holder::other);
    show_token(Holder::ours);
    agree<SaveRecord>();
    expect_end(Ending::Kind::start_over);
}

}  // namespace
}  // namespace keyturn
