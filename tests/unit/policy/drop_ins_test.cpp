// A policy made of several files.
#include "fakes/sandbox.hpp"
#include "unit/policy/parts.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>
#include <sys/stat.h>

namespace keyturn {
namespace {

using std::chrono::days;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

constexpr const char* base = R"(version: 1
cloudflare: {credentials: {main: {credential: cloudflare-api-token}}}
defaults:
  account: 699d98642c564d2e855e9661899b7252
  credential: main
  rotate: {every: 30d}
tunnels:
  web: {tunnel: f70ff985-a4ef-4643-bbbc-4a0ed4fc8415, units: [web@1.service, web@2.service]}
)";

std::string problems_with(const std::string& drop_in) {
    return problems_of(parse_policy({{"keyturn.yaml", base}, {"keyturn.d/10.yaml", drop_in}}));
}

TEST(DropIns, AreLaidOverInTheirOrder) {
    const PolicyOutcome outcome = parse_policy(
        {{"keyturn.yaml", base},
         {"10.yaml", "defaults: {rotate: {every: 60d}, rollout: {soak: 20m}}\n"},
         {"20.yaml",
          "tunnels:\n"
          "  web: {units: [other.service, other2.service], rollout: {canary: true}}\n"
          "  mail: {tunnel: f70ff985-a4ef-4643-bbbc-4a0ed4fc8416, units: ['mail@*.service']}\n"
          "defaults: {rollout: {soak: 40m}}\n"},
         {"30.yaml", "# nothing\n"}});
    ASSERT_EQ(problems_of(outcome), "");
    const auto& policy = std::get<Policy>(outcome);
    ASSERT_EQ(policy.tunnels.size(), 2U);
    const TunnelPolicy& web = policy.tunnels[0];
    EXPECT_EQ(web.schedule.every, days{60});
    EXPECT_EQ(web.rollout.soak, minutes{40});
    EXPECT_TRUE(web.rollout.canary);
    EXPECT_THAT(web.units, ElementsAre("other.service", "other2.service")) << "not joined";
    EXPECT_EQ(policy.tunnels[1].name, "mail");
}

TEST(DropIns, JoinTheAddressesOfUnits) {
    const PolicyOutcome outcome = parse_policy(
        {{"keyturn.yaml", base},
         {"10.yaml", "tunnels: {web: {metrics_address: {web@1.service: 127.0.0.1:20241}}}\n"},
         {"20.yaml", "tunnels: {web: {metrics_address: {web@2.service: '[0::1]:20242'}}}\n"}});
    ASSERT_EQ(problems_of(outcome), "");
    EXPECT_THAT(std::get<Policy>(outcome).tunnels.front().metrics_addresses,
                ElementsAre(testing::Pair("web@1.service", "127.0.0.1:20241"),
                            testing::Pair("web@2.service", "[::1]:20242")));
}

TEST(DropIns, ProblemIsToldWithItsFile) {
    EXPECT_EQ(problems_with("defaults:\n  rollout: {soak: 10}\n"),
              "keyturn.d/10.yaml:2:19: `soak` needs a unit: write `10s`, `10m` (minutes) or `10h`, "
              "not `10`\n      rollout: {soak: 10}\n                      ^\n");
}

TEST(DropIns, ProblemsOfAllFilesAreToldAtOnce) {
    const std::string told = problems_of(parse_policy(
        {{"a", "version: 1\nfoo: 1\n"}, {"b", "bar: 1\n"}, {"c", "defaults: {baz: 1}\n"}}));
    EXPECT_THAT(told, HasSubstr("a:2:1: unknown key `foo`"));
    EXPECT_THAT(told, HasSubstr("b:1:1: unknown key `bar`"));
    EXPECT_THAT(told, HasSubstr("c:1:12: unknown key `baz`"));
}

TEST(DropIns, KeyThatStandsTwiceIsToldTogetherWithTheRest) {
    const std::string told = problems_of(parse_policy(
        {{"a", completed("defaults: {rotate: {every: 30d, every: 60d}, rollout: {soak: 10}}\n")},
         {"b", "defaults: {zzz: 1, zzz: 2}\n"}}));
    EXPECT_THAT(told, HasSubstr("a:1:33: `every` appears twice"));
    EXPECT_THAT(told, HasSubstr("a:1:62: `soak` needs a unit"));
    EXPECT_THAT(told, HasSubstr("b:1:20: `zzz` appears twice"));
    EXPECT_THAT(told, HasSubstr("b:1:12: unknown key `zzz`"));
}

TEST(DropIns, WhatIsClaimedTwiceIsNamedWithBothFiles) {
    EXPECT_THAT(problems_with("tunnels:\n  mail: {tunnel: f70ff985-a4ef-4643-bbbc-4a0ed4fc8416, "
                              "units: [web@1.service, b.service]}\n"),
                HasSubstr("keyturn.d/10.yaml:2:64: `web@1.service` is already claimed for tunnel "
                          "`web` on line 8 of keyturn.yaml"));
    EXPECT_THAT(problems_with("tunnels:\n  mail: {tunnel: f70ff985-a4ef-4643-bbbc-4a0ed4fc8415, "
                              "units: ['mail@*.service']}\n"),
                HasSubstr("this tunnel is already listed as `web` on line 8 of keyturn.yaml"));
}

TEST(DropIns, BrokenOneSpoilsThePolicy) {
    EXPECT_THAT(problems_with("tunnels: [\n"), HasSubstr("keyturn.d/10.yaml:"));
    EXPECT_THAT(problems_with("- a\n"), HasSubstr("a drop-in must consist of keys"));
    EXPECT_THAT(problems_with("version: 2\n"),
                HasSubstr("keyturn.d/10.yaml:1:10: `version` 2 is not supported"));
    EXPECT_THAT(problems_with("a: \x01\n"), HasSubstr("keyturn.d/10.yaml:1:4"));
}

TEST(DropIns, SecretsAreHiddenInTheRightFile) {
    const std::string told = problems_with("cloudflare: {api_token: \"Kt9xQ2vB7nLm\"}\n");
    EXPECT_THAT(told, HasSubstr("keyturn.d/10.yaml:1:14: unknown key `api_token`"));
    EXPECT_THAT(told, Not(HasSubstr("Kt9xQ2vB7nLm")));
}

/// On the disk.
class DropInFiles : public testing::Test {
  protected:
    DropInFiles() {
        write("keyturn.yaml", base);
        std::filesystem::create_directory(directory_ + "/keyturn.d");
    }

    void write(const std::string& name, const std::string& text) {
        testing_files::put(directory_ + "/" + name, text, 0644);
    }

    [[nodiscard]] PolicyOutcome load() const { return load_policy(directory_ + "/keyturn.yaml"); }

    const testing_files::Sandbox sandbox_;
    const std::string& directory_ = sandbox_.path();
};

TEST_F(DropInFiles, AreFoundBesideThePolicyInTheOrderOfTheirNames) {
    write("keyturn.d/20-b.yaml", "defaults: {rollout: {soak: 40m}}\n");
    write("keyturn.d/10-a.yaml", "defaults: {rollout: {soak: 20m, batches: 3}}\n");
    write("keyturn.d/.30.yaml", "no: policy\n");
    write("keyturn.d/40.yaml.bak", "no: policy\n");
    const PolicyOutcome outcome = load();
    ASSERT_EQ(problems_of(outcome), "");
    const TunnelPolicy& web = std::get<Policy>(outcome).tunnels[0];
    EXPECT_EQ(web.rollout.soak, minutes{40});
    EXPECT_EQ(web.rollout.batches, 3);
}

TEST_F(DropInFiles, MayBeMissing) {
    std::filesystem::remove(directory_ + "/keyturn.d");
    EXPECT_EQ(problems_of(load()), "");
}

TEST_F(DropInFiles, AreRefusedWhereOthersMayWriteThem) {
    write("keyturn.d/10.yaml", "defaults: {rollout: {soak: 40m}}\n");
    ::chmod((directory_ + "/keyturn.d/10.yaml").c_str(), 0664);
    EXPECT_THAT(problems_of(load()), HasSubstr("keyturn.d/10.yaml: writable by its group"));
    ::chmod((directory_ + "/keyturn.d/10.yaml").c_str(), 0644);
    ::chmod((directory_ + "/keyturn.d").c_str(), 0777);
    EXPECT_THAT(problems_of(load()), HasSubstr("keyturn.d: writable by everybody"));
}

TEST_F(DropInFiles, AreADirectory) {
    std::filesystem::remove(directory_ + "/keyturn.d");
    write("keyturn.d", "");
    EXPECT_THAT(problems_of(load()), HasSubstr("keyturn.d: not a directory"));
}

TEST_F(DropInFiles, AreLimited) {
    for (int i = 0; i < 201; ++i) write("keyturn.d/" + std::to_string(i) + ".yaml", "");
    EXPECT_THAT(problems_of(load()), HasSubstr("keyturn.d: has more than 200 drop-ins"));
}

}  // namespace
}  // namespace keyturn
