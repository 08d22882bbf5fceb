#include "rotation/attached.hpp"

#include "fakes/matchers.hpp"
#include "fakes/samples.hpp"

namespace keyturn {
namespace {

/// Two units of one host. The API lists the connectors in `listed_`.
class AttachedTest : public testing::Test {
  protected:
    AttachedTest() {
        for (const std::string name : {"a", "b"}) {
            UnitProgress unit;
            unit.name = name;
            unit.baseline = 4;
            units_.push_back(unit);
            samples_.push_back(serving("process-" + name, "id-" + name, name));
            listed_.push_back(listed("id-" + name));
        }
    }

    static std::vector<std::string> ids(const std::vector<Connector>& connectors) {
        std::vector<std::string> ids;
        for (const Connector& connector : connectors) ids.push_back(connector.id);
        return ids;
    }

    [[nodiscard]] Attached sorted() const {
        return sort_connectors(listed_, units_, samples_, proven_);
    }

    std::vector<UnitProgress> units_;
    SampleUnits::Value samples_;
    std::vector<Connector> listed_;
    std::vector<ProvenConnector> proven_;
};

TEST_F(AttachedTest, AreOursAndStrangersWhereEveryUnitTells) {
    listed_.push_back(thief);
    listed_.push_back(neighbour);
    EXPECT_THAT(ids(sorted().ours), ElementsAre("id-a", "id-b"));
    EXPECT_THAT(ids(sorted().strangers), ElementsAre("thief", "neighbour"));
    EXPECT_THAT(sorted().doubtful, IsEmpty());
}

TEST_F(AttachedTest, IdOfOursWithMoreConnectionsThanItMayHaveIsDoubtful) {
    listed_[0].connections = 8;
    EXPECT_THAT(ids(sorted().ours), ElementsAre("id-b"));
    EXPECT_THAT(ids(sorted().doubtful), ElementsAre("id-a"));
    listed_[0].connections = 4;
    samples_[0].readiness->connections = 3;
    EXPECT_THAT(ids(sorted().ours), ElementsAre("id-a", "id-b"))
        << "the list is older than the sample";
    samples_[0].readiness->connections = 0;
    EXPECT_THAT(ids(sorted().doubtful), ElementsAre("id-a"));
}

TEST_F(AttachedTest, SilentUnitMakesDoubtfulWhoComesFromOurAddressAlone) {
    listed_.push_back(thief);
    listed_.push_back(neighbour);
    samples_[1].readiness.reset();
    EXPECT_THAT(ids(sorted().ours), ElementsAre("id-a"));
    EXPECT_THAT(ids(sorted().strangers), ElementsAre("thief"));
    EXPECT_THAT(ids(sorted().doubtful), ElementsAre("id-b", "neighbour"));
}

TEST_F(AttachedTest, SilentUnitIsKnownByWhatItsProcessToldEarlier) {
    listed_.push_back(neighbour);
    samples_[1].readiness.reset();
    proven_ = {{"b", "process-b", "id-b", our_address}};
    EXPECT_THAT(ids(sorted().ours), ElementsAre("id-a", "id-b"));
    EXPECT_THAT(ids(sorted().strangers), ElementsAre("neighbour"));
    proven_[0].invocation = "another process";
    EXPECT_THAT(ids(sorted().doubtful), ElementsAre("id-b", "neighbour"));
}

TEST_F(AttachedTest, IdThatWasToldEarlierIsNotOursFromAnotherAddress) {
    samples_[1].readiness.reset();
    proven_ = {{"b", "process-b", "id-b", our_address}};
    listed_[1].origin_ip = other_address;
    EXPECT_THAT(ids(sorted().doubtful), ElementsAre("id-b"));
}

TEST_F(AttachedTest, UnitAtRestHasNoConnector) {
    listed_.push_back(neighbour);
    samples_[1].readiness.reset();
    stop(samples_[1].state);
    EXPECT_THAT(ids(sorted().strangers), ElementsAre("id-b", "neighbour"));
}

TEST_F(AttachedTest, WithoutSystemdOnlyAnAddressMakesAStranger) {
    listed_.push_back(thief);
    listed_.push_back(neighbour);
    const Attached unknown = sort_connectors(listed_, units_, std::nullopt, {});
    EXPECT_THAT(ids(unknown.doubtful), ElementsAre("id-a", "id-b", "thief", "neighbour"));
    proven_ = {{"a", "process-a", "id-a", our_address}};
    const Attached by_address = sort_connectors(listed_, units_, std::nullopt, proven_);
    EXPECT_THAT(ids(by_address.strangers), ElementsAre("thief"));
    const Attached unplanned = sort_connectors(listed_, {}, std::nullopt, proven_);
    EXPECT_THAT(ids(unplanned.strangers), ElementsAre("thief"));
    EXPECT_THAT(ids(unplanned.doubtful), ElementsAre("id-a", "id-b", "neighbour"));
}

TEST_F(AttachedTest, HostThatMovedToAnotherAddressIsStillOurs) {
    proven_ = {{"a", "process-a", "id-a", "203.0.113.1"},
               {"b", "process-b", "id-b", "203.0.113.1"}};
    EXPECT_THAT(ids(sorted().ours), ElementsAre("id-a", "id-b"));
}

TEST(Proven, IsTheNewestThatAUnitTold) {
    std::vector<ProvenConnector> proven;
    SampleUnits::Sample sample = serving("first", "id-1", "a");
    note_proven(proven, {sample});
    note_origins(proven, {listed("id-1")});
    sample.state.invocation = "second";
    sample.readiness->connector_id = "id-2";
    note_proven(proven, {sample});
    ASSERT_THAT(proven, SizeIs(1));
    EXPECT_EQ(proven[0].invocation, "second");
    EXPECT_EQ(proven[0].id, "id-2");
    EXPECT_EQ(proven[0].origin_ip, our_address);
    sample.readiness.reset();
    note_proven(proven, {sample});
    EXPECT_EQ(proven[0].id, "id-2");
}

}  // namespace
}  // namespace keyturn
