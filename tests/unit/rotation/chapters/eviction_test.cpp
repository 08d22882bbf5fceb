#include "rotation/eviction.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

class EvictionTest : public ChapterAlone {
  protected:
    EvictionTest() : ChapterAlone({planned(a, UnitStep::waiting)}) {
        context_.record.request.kind = RotationKind::compromise;
    }

    /// The connector that is attached besides unit a, and a sample of unit a.
    void look(const Connector& other, const Sample& unit) {
        answer<ListConnectors>({listed("c-a"), other});
        answer<SampleUnits>({unit});
    }

    void allow_restarts(bool allowed) {
        InspectUnits::Unit unit{a, {}};
        if (!allowed) unit.not_allowed = "polkit says no";
        answer<InspectUnits>({unit});
    }

    /// A connector from our own address and a silent unit, until a doubtful connector may be
    /// dropped.
    void doubt_until_it_is_late() {
        const BootTime begin = context_.now;
        while (context_.now - begin < 40s && is_asked<ListConnectors>()) {
            look(neighbour, silent_a_);
            if (is_asked<Wait>()) pass();
        }
    }
};

TEST_F(EvictionTest, DropsAStrangerAtOnceAndNothingElse) {
    read_part(eviction_.evict());
    look(thief, a_);
    EXPECT_EQ(asked<EvictConnector>().id, "thief");
    agree<EvictConnector>();
    EXPECT_TRUE(asked<SaveRecord>().record.evicted);
    agree<SaveRecord>();
    expect_end(Ending::Kind::done);
    EXPECT_EQ(context_.view.lock_out.evicted.size(), 1U);
    EXPECT_THAT(told(), ElementsAre(EventKind::connector_evicted));
}

TEST_F(EvictionTest, DropsDoubtfulConnectorsOnlyAfterAWhile) {
    const BootTime begin = context_.now;
    read_part(eviction_.evict());
    doubt_until_it_is_late();
    EXPECT_GE(context_.now - begin, 30s);
    allow_restarts(true);
    agree<EvictConnector>();
    agree<EvictConnector>();
    EXPECT_TRUE(asked<SaveRecord>().record.units.front().dropped) << "it cannot come back alone";
    agree<SaveRecord>();
    expect_end(Ending::Kind::done);
}

TEST_F(EvictionTest, DropsNothingDoubtfulWhileOurUnitsCouldNotBeRestarted) {
    read_part(eviction_.evict());
    doubt_until_it_is_late();
    for (int look_again = 0; look_again < 100; ++look_again) {
        allow_restarts(false);
        pass();
        look(neighbour, silent_a_);
    }
    EXPECT_FALSE(ending_);
    EXPECT_THAT(told(), Contains(EventKind::lockout_blocked));
    EXPECT_THAT(context_.view.reason, HasSubstr("--evict-all"));
    allow_restarts(true);
    EXPECT_TRUE(is_asked<EvictConnector>());
}

TEST_F(EvictionTest, KnowsASilentUnitByWhatItsProcessReportedBefore) {
    context_.proven = {{a, "i-a", "c-a", our_address}};
    read_part(eviction_.evict());
    look(thief, silent_a_);
    EXPECT_EQ(asked<EvictConnector>().id, "thief");
}

}  // namespace
}  // namespace keyturn
