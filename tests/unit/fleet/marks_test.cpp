#include "unit/fleet/fleet_fixture.hpp"

namespace keyturn {
namespace {

TEST_F(FleetTest, EachReportHasAMarkThatTheDiskKnewBefore) {
    ASSERT_TRUE(report(4));
    const std::string mark = object_.document().members.at("host-2").mark;
    EXPECT_NE(mark, small_member(2).mark);
    EXPECT_EQ(memory_.kept.at("web").mark, mark);
    EXPECT_EQ(memory_.kept.at("web").mark_pending, "");
    EXPECT_FALSE(fleet_->clashes());
}

TEST_F(FleetTest, AReportIsNotWrittenIfTheDiskCannotKeepItsMark) {
    ASSERT_TRUE(look());
    memory_.broken = disk_full;
    const Result<FleetDocument> reported = report(4);
    ASSERT_FALSE(reported);
    EXPECT_EQ(reported.error().fault, Fault::storage);
    EXPECT_EQ(object_.swaps, 0);
}

TEST_F(FleetTest, AReportWhoseAnswerWasLostBeforeACrashIsNoClash) {
    object_.fates = {SwapFate::done_but_lost};
    object_.before_swap = [this] { object_.down = no_answer; };
    ASSERT_FALSE(report(4));
    EXPECT_NE(memory_.kept.at("web").mark_pending, "");
    object_.down.reset();
    begin();
    ASSERT_TRUE(look());
    EXPECT_EQ(answers(), 4U);
    EXPECT_FALSE(fleet_->clashes());
    EXPECT_EQ(memory_.kept.at("web").mark_pending, "");
    EXPECT_EQ(memory_.kept.at("web").mark, object_.document().members.at("host-2").mark);
}

TEST_F(FleetTest, AReportThatMayStillArriveKeepsItsMarkForTheNextOne) {
    ASSERT_TRUE(look());
    object_.fates = {SwapFate::late};
    object_.before_swap = [this] { object_.before_swap = [this] { object_.land(); }; };
    ASSERT_TRUE(report(4));
    EXPECT_FALSE(fleet_->clashes()) << "the late one has the mark of the newer one";
    ASSERT_TRUE(report(5));
    EXPECT_EQ(answers(), 5U);
    EXPECT_FALSE(fleet_->clashes());
}

TEST_F(FleetTest, AnEntryThatThisHostHasNotWrittenIsAClash) {
    ASSERT_TRUE(report(4));
    EXPECT_FALSE(fleet_->clashes());
    object_.change([](FleetDocument& document) {
        document.members.at("host-2").mark = std::string(16, 'c');
        return Result<void>();
    });
    ASSERT_TRUE(look());
    EXPECT_TRUE(fleet_->clashes());
    EXPECT_FALSE(report(5)) << "the other one goes on undisturbed";
    EXPECT_EQ(answers(), 4U);
}

TEST_F(FleetTest, ADiskThatIsAnOldCopyIsAClash) {
    ASSERT_TRUE(report(4));
    memory_.kept.clear();
    begin();
    ASSERT_TRUE(look());
    EXPECT_TRUE(fleet_->clashes());
}

TEST_F(FleetTest, AnotherInstallationWithThisNameIsNoClash) {
    object_.change([](FleetDocument& document) {
        document.members.at("host-2").install = std::string(32, 'c');
        document.members.at("host-2").mark = std::string(16, 'c');
        return Result<void>();
    });
    ASSERT_TRUE(look());
    EXPECT_FALSE(fleet_->clashes()) << "this host was replaced: its follower says so";
}

}  // namespace
}  // namespace keyturn
