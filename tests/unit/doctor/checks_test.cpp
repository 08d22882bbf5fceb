// Each check on a healthy host, and on one that is broken in exactly its way.
#include "broken_host.hpp"
#include "doctor/examination.hpp"
#include "doctor/report.hpp"
#include "unit/shipped_file.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>
#include <vector>

namespace keyturn {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

std::vector<std::string> ids_on(const HostFacts& facts, const Question& question = {}) {
    std::vector<std::string> ids;
    for (const Reported& one : examine(facts, question).findings) ids.emplace_back(one.check->id);
    return ids;
}

std::vector<Broken> all_broken() {
    std::vector<Broken> all;
    for (const auto& list :
         {host_is_broken(), keyturnd_is_broken(), polkit_is_broken(), network_is_broken(),
          api_is_broken(), tunnel_is_broken(), unit_is_broken(), service_is_broken(), unmanaged(),
          token_file_is_broken(), secret_is_exposed()})
        all.insert(all.end(), list.begin(), list.end());
    return all;
}

class BrokenHost : public ::testing::TestWithParam<Broken> {};

TEST_P(BrokenHost, IsFoundByExactlyOneCheck) {
    HostFacts facts = healthy_host();
    GetParam().breaks(facts);
    const Examination examination = examine(facts, {});
    ASSERT_THAT(ids_on(facts), ElementsAre(GetParam().id));
    const Finding& finding = examination.findings.front().finding;
    EXPECT_THAT(finding.seen, HasSubstr(GetParam().seen));
    EXPECT_THAT(finding.remedy, HasSubstr(GetParam().remedy));
    EXPECT_FALSE(finding.seen.ends_with('.'));
    EXPECT_EQ(examination.failed(), examination.findings.front().check->severity == Severity::fail);
}

INSTANTIATE_TEST_SUITE_P(All, BrokenHost, ::testing::ValuesIn(all_broken()));

TEST(Checks, FindNothingOnAHealthyHost) {
    EXPECT_THAT(ids_on(healthy_host()), IsEmpty());
}

TEST(Checks, FindNothingOnAHostOfWhichNothingCouldBeSeen) {
    EXPECT_THAT(ids_on(HostFacts{}), IsEmpty());
}

TEST(Checks, AreEachBrokenByATest) {
    std::set<std::string_view> broken;
    const auto all = all_broken();
    for (const Broken& one : all) broken.insert(one.id);
    for (const Check& check : all_checks()) EXPECT_TRUE(broken.contains(check.id)) << check.id;
}

TEST(Checks, HaveUniqueIdsAndKnownCauses) {
    std::set<std::string_view> ids;
    for (const Check& check : all_checks()) {
        EXPECT_TRUE(ids.insert(check.id).second) << check.id;
        for (const std::string_view cause : check.causes)
            EXPECT_TRUE(cause.empty() || cause == any_failure || find_check(cause) != nullptr)
                << check.id << " depends on " << cause;
    }
}

TEST(Checks, AreInTheManualInTheirOrder) {
    std::vector<std::string> ids;
    for (const Check& check : all_checks()) ids.emplace_back(check.id);
    const std::string page = shipped::text_of("packaging/man/keyturnctl.1");
    const std::string section = shipped::section_of(page, "CHECKS");
    EXPECT_EQ(shipped::found_in(section, R"(^\.It Li ([a-z0-9-]+))"), ids);
}

TEST(Checks, SayNothingOfTokensWhileARotationIsOpen) {
    HostFacts facts = healthy_host();
    tunnel_of(facts).status->phase = "roll";
    tunnel_of(facts).fingerprint = old_fingerprint;
    unit_of(facts).running_fingerprint = old_fingerprint;
    tunnel_of(facts).connectors->push_back({"7ad8a4ae", "", "", "", 4});
    EXPECT_THAT(ids_on(facts), IsEmpty());
}

TEST(Checks, TakeNoTokenForOldWhileKeyturndIsStopped) {
    HostFacts facts = healthy_host();
    facts.daemon.state.active_state = "inactive";
    unit_of(facts).running_fingerprint = old_fingerprint;
    EXPECT_THAT(ids_on(facts), ElementsAre("keyturnd-running"));
}

TEST(Checks, TakeNoConnectorForUnknownWhileAUnitIsSilent) {
    HostFacts facts = healthy_host();
    unit_of(facts).connector.clear();
    EXPECT_THAT(ids_on(facts), IsEmpty());
}

TEST(Checks, DoNotMindAWorthlessToken) {
    HostFacts facts = healthy_host();
    unit_of(facts).exposed = {
        {"/etc/systemd/system/cloudflared.service", "root", true, old_fingerprint},
        {"/etc/default/cloudflared", "root", false, old_fingerprint}};
    EXPECT_THAT(ids_on(facts), IsEmpty());
}

TEST(Checks, FindACauseForEachUnitByItself) {
    HostFacts facts = healthy_host();
    UnitSeen second = healthy_unit("cloudflared-2.service");
    second.running_fingerprint = old_fingerprint;
    second.connector = "second";
    tunnel_of(facts).connectors->push_back({"second", "", "", "", 4});
    facts.units.push_back(second);
    unit_of(facts).settings.need_daemon_reload = true;
    EXPECT_THAT(ids_on(facts), ElementsAre("unit-reload", "unit-token-old"));
    Question question;
    question.units = {"cloudflared.service"};
    EXPECT_THAT(ids_on(facts, question), ElementsAre("unit-reload"));
}

TEST(Checks, ThatAreLeftOutStillExplainOthers) {
    HostFacts facts = healthy_host();
    unit_of(facts).settings.need_daemon_reload = true;
    unit_of(facts).service.restart = "no";
    Question question;
    question.only = {"unit-restart"};
    EXPECT_THAT(ids_on(facts, question), IsEmpty());
    unit_of(facts).settings.need_daemon_reload = false;
    EXPECT_THAT(ids_on(facts, question), ElementsAre("unit-restart"));
}

TEST(Checks, ThatAreIgnoredAreShownAndDoNotFail) {
    HostFacts facts = healthy_host();
    facts.system.systemd_version = 247;
    Question question;
    question.ignored = {{"systemd-version", "2026-11-29", "backported LoadCredential="}};
    const Examination examination = examine(facts, question);
    ASSERT_THAT(examination.findings, SizeIs(1));
    EXPECT_FALSE(examination.failed());
    EXPECT_THAT(report_text(examination, 80),
                HasSubstr("Ignored since 2026-11-29: backported LoadCredential="));
    EXPECT_THAT(report_json(examination), HasSubstr("\"why\": \"backported LoadCredential=\""));
    EXPECT_THAT(report_json(examination), HasSubstr("\"ok\": true"));
}

TEST(Report, WrapsTextButNoCommand) {
    HostFacts facts = healthy_host();
    unit_of(facts).service.restart = "no";
    const std::string text = report_text(examine(facts, {}), 40);
    EXPECT_THAT(text,
                HasSubstr("warn unit-restart: cloudflared.service\n    cloudflared.service has "
                          "Restart=no:\n    after"));
    EXPECT_THAT(text, HasSubstr("    > sudo sh -c 'mkdir -p "
                                "/etc/systemd/system/cloudflared.service.d && printf "));
    EXPECT_THAT(text, HasSubstr("0 failed, 1 warned, 0 noted, 0 ignored\n"));
}

TEST(Report, HasNoLineOfSomebodyElse) {
    HostFacts facts = healthy_host();
    facts.policy.problem = "x\nfail forged: y\x1b[2J";
    const std::string text = report_text(examine(facts, {}), 80);
    EXPECT_EQ(text.find("\nfail forged"), std::string::npos);
    EXPECT_EQ(text.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace keyturn
