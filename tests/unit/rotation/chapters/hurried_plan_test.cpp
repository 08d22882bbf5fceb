#include "rotation/hurried_plan.hpp"

#include "unit/rotation/chapters/chapter_alone.hpp"

namespace keyturn {
namespace {

class HurriedPlanTest : public ChapterAlone {
  protected:
    HurriedPlanTest() { context_.record.request.kind = RotationKind::compromise; }

    void inspect(InspectUnits::Value units, const Samples& samples) {
        answer<InspectUnits>(std::move(units));
        answer<SampleUnits>(samples);
    }
};

TEST_F(HurriedPlanTest, IsRefusedIfNoNamedUnitIsAConnector) {
    read_part(plan_.make());
    agree<SaveRecord>();
    InspectUnits::Unit other{"sshd.service", {}};
    other.passed_over = true;
    other.findings = {"it is no connector"};
    inspect({other}, {});
    show_file("old");
    expect_end(Ending::Kind::refused);
}

TEST_F(HurriedPlanTest, TakesInTheUnitsThatTheCorrectedPolicyNames) {
    add_unit(a, UnitStep::verified);
    read_part(plan_.take_in_new_units());
    inspect({{a, {}}, {b, {}}}, {a_, b_});
    show_file();
    ASSERT_THAT(context_.record.units, SizeIs(2));
    EXPECT_EQ(context_.record.find(a)->step, UnitStep::verified);
    EXPECT_EQ(context_.record.find(b)->step, UnitStep::waiting);
}

}  // namespace
}  // namespace keyturn
