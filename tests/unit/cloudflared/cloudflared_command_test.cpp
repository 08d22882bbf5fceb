#include "cloudflared/cloudflared_command.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using ::testing::ElementsAre;

std::optional<CloudflaredCommand> read(const std::vector<std::string>& arguments) {
    return read_cloudflared_command(arguments);
}

TEST(CloudflaredCommand, ReadsTheStockUnit) {
    const auto command = read({"/usr/bin/cloudflared", "--no-autoupdate", "tunnel", "run",
                               "--token-file", "/etc/cloudflared/token"});
    ASSERT_TRUE(command);
    EXPECT_EQ(command->value_of("token-file"), "/etc/cloudflared/token");
    EXPECT_EQ(command->value_of("no-autoupdate"), "");
    EXPECT_EQ(command->value_of("token"), std::nullopt);
    EXPECT_EQ(command->after_run, 4U);
    EXPECT_EQ(command->options[1].first, 4U);
    EXPECT_EQ(command->options[1].count, 2U);
}

TEST(CloudflaredCommand, KnowsWhichOptionsTakeNoValue) {
    const auto command =
        read({"cloudflared", "--metrics", "tunnel", "tunnel", "-no-autoupdate", "--hello-world",
              "--loglevel", "debug", "run", "--pq", "--token-file", "/x", "name"});
    ASSERT_TRUE(command);
    EXPECT_EQ(command->value_of("metrics"), "tunnel");
    EXPECT_EQ(command->value_of("token-file"), "/x");
}

TEST(CloudflaredCommand, ValueMayFollowAnEqualsSign) {
    const auto command = read({"cloudflared", "tunnel", "run", "-token-file=/a=b", "--pq=true"});
    ASSERT_TRUE(command);
    EXPECT_EQ(command->value_of("token-file"), "/a=b");
    EXPECT_EQ(command->options[0].count, 1U);
}

TEST(CloudflaredCommand, TheLastOptionCounts) {
    const auto command =
        read({"cloudflared", "tunnel", "--cred-file", "/a", "run", "--credentials-file", "/b"});
    ASSERT_TRUE(command);
    EXPECT_EQ(command->value_of("credentials-file"), "/b");
}

TEST(CloudflaredCommand, OptionsEndAtTheFirstWordAfterRun) {
    const auto name = read({"cloudflared", "tunnel", "run", "name", "--token-file", "/x"});
    ASSERT_TRUE(name);
    EXPECT_EQ(name->value_of("token-file"), std::nullopt);
    const auto dashes = read({"cloudflared", "tunnel", "run", "--", "--token-file", "/x"});
    ASSERT_TRUE(dashes);
    EXPECT_EQ(dashes->value_of("token-file"), std::nullopt);
}

TEST(CloudflaredCommand, ProgramMayBeStartedByAnother) {
    const auto command = read({"/usr/bin/env", "TUNNEL_TOKEN=", "A=b", "/opt/cloudflared", "tunnel",
                               "run", "--token-file", "/x"});
    ASSERT_TRUE(command);
    EXPECT_THAT(command->assignments, ElementsAre("TUNNEL_TOKEN=", "A=b"));
    EXPECT_EQ(command->value_of("token-file"), "/x");
    EXPECT_TRUE(
        read({"/usr/sbin/ip", "netns", "exec", "blue", "/usr/bin/cloudflared", "tunnel", "run"}));
}

TEST(MentionsTunnelRun, InWhateverIsStarted) {
    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
             {"/opt/renamed", "tunnel", "run"},
             {"/usr/bin/docker", "run", "cloudflare/cloudflared", "tunnel", "--pq", "run"},
             {"/bin/sh", "-c", "exec cloudflared tunnel run --token \"$(cat /t)\""}}) {
        EXPECT_TRUE(mentions_tunnel_run(arguments)) << arguments.front();
    }
    for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
             {},
             {"/usr/bin/cloudflared", "update"},
             {"/usr/bin/docker", "run", "cloudflare/cloudflared", "tunnel"},
             {"/usr/bin/prune", "tunnels", "running"}}) {
        EXPECT_FALSE(mentions_tunnel_run(arguments));
    }
}

TEST(CloudflaredCommand, PathOutsideIsThatOfTheLongestMount) {
    const auto command =
        read({"/usr/bin/podman", "run", "-v", "/a:/data", "--volume=%d:/run/keyturn", "-v",
              "volume:/data/kept:ro", "--mount", "type=bind,src=/b,dst=/data/b",
              "cloudflare/cloudflared", "tunnel", "run"});
    ASSERT_TRUE(command);
    EXPECT_TRUE(command->contained);
    EXPECT_EQ(command->path_outside("/data/x"), "/a/x");
    EXPECT_EQ(command->path_outside("/data"), "/a");
    EXPECT_EQ(command->path_outside("/data/b/x"), "/b/x");
    EXPECT_EQ(command->path_outside("/data/kept/x"), "") << "a volume of the engine";
    EXPECT_EQ(command->path_outside("/datax"), "") << "a file of the image";
    EXPECT_EQ(command->path_outside("/run/keyturn/token"), "%d/token");
}

TEST(CloudflaredCommand, OtherCommandsAreNone) {
    EXPECT_FALSE(read({}));
    EXPECT_FALSE(read({"/usr/bin/sleep", "1"}));
    EXPECT_FALSE(read({"/usr/bin/cloudflared"}));
    EXPECT_FALSE(read({"/usr/bin/cloudflared", "tunnel"}));
    EXPECT_FALSE(read({"/usr/bin/cloudflared", "tunnel", "list"}));
    EXPECT_FALSE(read({"/usr/bin/cloudflared", "update", "run"}));
    EXPECT_FALSE(read({"/usr/bin/cloudflared", "--metrics"}));
    EXPECT_FALSE(read({"/bin/sh", "-c", "cloudflared tunnel run"}));
    EXPECT_TRUE(read({"/opt/cloudflared-linux-amd64", "tunnel", "run", "--token-file"}));
}

}  // namespace
}  // namespace keyturn
