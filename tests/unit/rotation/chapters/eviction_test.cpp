#include "rotation/eviction.hpp"

#include "rotation/adoption.hpp"
#include "rotation/hurried_plan.hpp"
#include "rotation/preparation.hpp"
#include "rotation/token_handover.hpp"
#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

using Samples = SampleUnits::Value;
using testing::Contains;
using testing::HasSubstr;

class EvictionTest : public ChapterAlone {
  protected:
    EvictionTest() { context_.record.request.kind = RotationKind::compromise; }

    void look(std::vector<Connector> listed, const SampleUnits::Sample& unit) {
        answer<ListConnectors>(std::move(listed));
        answer<SampleUnits>(Samples{unit});
    }

    void allow_restarts(bool allowed) {
        InspectUnits::Unit unit{"a.service", {}};
        if (!allowed) unit.not_allowed = "polkit says no";
        answer<InspectUnits>(InspectUnits::Value{unit});
    }

    /// A thief from our own address, and a unit that tells nothing: until what is in doubt may go.
    void doubt_until_it_is_late() {
        const BootTime begin = context_.now;
        while (context_.now - begin < 40s &&
               std::holds_alternative<ListConnectors>(*context_.action)) {
            look({ours_, neighbour_}, silent("i"));
            if (std::holds_alternative<Wait>(*context_.action)) pass();
        }
    }

    const UnitProgress& unit_ = add_unit("a.service", UnitStep::waiting);
    const Connector ours_{"c-a", "192.0.2.1", "", "", 4};
    const Connector thief_{"thief", "198.51.100.7", "", "", 4};
    const Connector neighbour_{"neighbour", "192.0.2.1", "", "", 4};
    Adoption adoption_{context_};
    TokenHandover handover_{context_, adoption_};
    Preparation preparation_{context_};
    HurriedPlan plan_{context_, preparation_};
    Eviction eviction_{context_, plan_, handover_};
};

TEST_F(EvictionTest, DropsAStrangerAtOnceAndNobodyElse) {
    read_part(eviction_.evict());
    look({ours_, thief_}, serving("i", "c-a"));
    EXPECT_EQ(asked<EvictConnector>().id, "thief");
    agree<EvictConnector>();
    EXPECT_TRUE(asked<SaveRecord>().record.evicted);
    agree<SaveRecord>();
    expect_end(Ending::Kind::done);
    EXPECT_EQ(context_.view.lock_out.evicted.size(), 1U);
}

TEST_F(EvictionTest, DropsWhatCannotBeToldOnlyAfterAWhile) {
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

TEST_F(EvictionTest, DropsNothingOfOursWhileItCouldNotBeRestarted) {
    read_part(eviction_.evict());
    doubt_until_it_is_late();
    for (int look_again = 0; look_again < 100; ++look_again) {
        allow_restarts(false);
        pass();
        look({ours_, neighbour_}, silent("i"));
    }
    EXPECT_FALSE(ending_);
    EXPECT_THAT(told(), Contains(EventKind::lockout_blocked));
    EXPECT_THAT(context_.view.reason, HasSubstr("--evict-all"));
    allow_restarts(true);
    EXPECT_TRUE(std::holds_alternative<EvictConnector>(*context_.action));
}

TEST_F(EvictionTest, KnowsASilentUnitByWhatItToldAsTheSameProcess) {
    context_.proven = {{"a.service", "i", "c-a", "192.0.2.1"}};
    read_part(eviction_.evict());
    look({ours_, thief_}, silent("i"));
    EXPECT_EQ(asked<EvictConnector>().id, "thief");
}

}  // namespace
}  // namespace keyturn
