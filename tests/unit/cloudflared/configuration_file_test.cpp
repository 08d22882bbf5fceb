#include "cloudflared/configuration_file.hpp"

#include "fakes/sandbox.hpp"

#include <gmock/gmock.h>

#include <filesystem>
#include <fstream>

namespace keyturn {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(ReadConfiguration, TheKeysThatConcernUs) {
    const ConfigurationFile file = read_configuration(
        "---\n# token: in a comment\ntunnel: 'f70ff985'\r\n\"credentials-file\": /root/x.json # x\n"
        "metrics: 127.0.0.1:20300\ntoken-file : /etc/t\ningress:\n  - hostname: a.example\n"
        "    service: http://localhost:8000\n- token: not a key of the outermost level\n"
        "originRequest:\n  token: x\n");
    ConfigurationFile expected;
    expected.tunnel = "f70ff985";
    expected.credentials_file = "/root/x.json";
    expected.metrics = "127.0.0.1:20300";
    expected.token_file = "/etc/t";
    EXPECT_EQ(file, expected);
}

TEST(ReadConfiguration, TokenInEverySpelling) {
    for (const char* text : {"token: eyJ", "a: b\ntoken: eyJ\n", "'token': x", "\"token\":  |\n  x",
                             "\xef\xbb\xbftoken: x", "%YAML 1.2\n---\ntoken: x", "token:"}) {
        EXPECT_TRUE(read_configuration(text).token) << text;
    }
    EXPECT_FALSE(read_configuration("a: b\n---\ntoken: x\n").token) << "the second document";
    EXPECT_FALSE(read_configuration("Token: x\ntoken-file: y\nTOKEN: z").token);
}

TEST(ReadConfiguration, WhatItCannotReadIsUnclear) {
    for (const char* text :
         {"{token: x}", "  token: x", "? token\n: x", "--- {token: x}", "<<: *a", "&a token: x",
          "\"to\\u006ben\": x", "tunnel: |\n  x", "tunnel: *a", "token", "!!str token: x"}) {
        EXPECT_TRUE(read_configuration(text).unclear) << text;
    }
    for (const char* text : {"", "# nothing\n\n", "a: {b: c}", "a: [1, 2]\n", "a: b: c"})
        EXPECT_FALSE(read_configuration(text).unclear) << text;
}

/// A host's files in a directory of its own.
class LookAtFiles : public ::testing::Test {
  protected:
    LookAtFiles() {
        settings_.exec_start = {{"/usr/bin/cloudflared", "tunnel", "run"}};
        settings_.user = "tunnel";
        put("/etc/passwd", "root:x:0:0::/root:/bin/sh\ntunnel:x:5:5:a b:/srv/tunnel:/bin/false\n");
    }

    void put(const std::string& path, const std::string& text) {
        std::filesystem::create_directories(std::filesystem::path(root_ + path).parent_path());
        std::ofstream(root_ + path) << text;
    }
    ConnectorFiles look() { return look_at_files(settings_, root_); }

    const testing_files::Sandbox sandbox_;
    const std::string& root_ = sandbox_.path();
    UnitSettings settings_;
};

TEST_F(LookAtFiles, TheFirstOfTheDefaultPathsCounts) {
    EXPECT_EQ(look(), ConnectorFiles{});
    put("/usr/local/etc/cloudflared/config.yml", "token: x\n");
    EXPECT_EQ(look().configuration.path, "/usr/local/etc/cloudflared/config.yml");
    put("/etc/cloudflared/config.yaml", "tunnel: t\n");
    EXPECT_EQ(look().configuration.path, "/etc/cloudflared/config.yaml");
    EXPECT_FALSE(look().configuration.token);
    put("/srv/tunnel/.cloudflared/config.yml", "token: x\n");
    EXPECT_EQ(look().configuration.path, "/srv/tunnel/.cloudflared/config.yml");
    EXPECT_TRUE(look().configuration.token);
    settings_.protect_home = "yes";
    EXPECT_EQ(look().configuration.path, "/etc/cloudflared/config.yaml") << "it cannot see it";
    settings_.exec_start = {{"/usr/bin/cloudflared", "--config", "/x.yml", "tunnel", "run"}};
    EXPECT_EQ(look(), ConnectorFiles{});
    put("/x.yml", "token: x\n");
    EXPECT_TRUE(look().configuration.token);
}

TEST_F(LookAtFiles, HomesOfRootAndOfTheEnvironment) {
    put("/root/.cloudflare-warp/config.yml", "token: x\n");
    settings_.user.clear();
    EXPECT_TRUE(look().configuration.token);
    settings_.environment = {"HOME=/elsewhere"};
    EXPECT_FALSE(look().configuration.token);
    put("/elsewhere/cloudflare-warp/config.yml", "token: x\n");
    EXPECT_TRUE(look().configuration.token);
    settings_.environment.clear();
    settings_.dynamic_user = true;
    settings_.user = "made-up";
    put("/.cloudflared/config.yml", "tunnel: root-of-the-host\n");
    EXPECT_EQ(look().configuration.tunnel, "root-of-the-host");
}

TEST_F(LookAtFiles, ContainersSeeWhatIsMounted) {
    put("/etc/cloudflared/config.yml", "token: x\n");
    put("/srv/tunnel/config.yml", "token: x\n");
    const auto mounted = [&](const std::string& volume) {
        settings_.exec_start = {
            {"/usr/bin/docker", "run", "-v", volume, "cloudflare/cloudflared", "tunnel", "run"}};
        return look().configuration.path;
    };
    EXPECT_EQ(mounted("/srv:/srv"), "") << "what the host has is not in the container";
    EXPECT_EQ(mounted("/etc/cloudflared:/etc/cloudflared:ro"), "/etc/cloudflared/config.yml");
    EXPECT_EQ(mounted("/srv/tunnel:/root/.cloudflared"), "/srv/tunnel/config.yml");
    EXPECT_TRUE(look().configuration.token);
    settings_.exec_start = {{"/usr/bin/docker", "run", "-v", "/srv/tunnel:/data",
                             "cloudflare/cloudflared", "tunnel", "--config", "/data/config.yml",
                             "run"}};
    EXPECT_EQ(look().configuration.path, "/srv/tunnel/config.yml");
}

TEST_F(LookAtFiles, WhatIsNoReadableFileIsUnseen) {
    std::filesystem::create_directories(root_ + "/etc/cloudflared/config.yml");
    EXPECT_THAT(look().unseen, ElementsAre("/etc/cloudflared/config.yml"));
    settings_.exec_start = {{"/usr/bin/cloudflared", "--config=${WHERE}", "tunnel", "run"}};
    EXPECT_THAT(look().unseen, ElementsAre("${WHERE}"));
}

TEST_F(LookAtFiles, ScriptsForAShell) {
    put("/usr/bin/cloudflared", "#!/usr/bin/env bash\nexec x\n");
    EXPECT_EQ(look().script, "/usr/bin/cloudflared");
    put("/usr/bin/cloudflared", "#! /bin/sh -e\n");
    EXPECT_EQ(look().script, "/usr/bin/cloudflared");
    put("/usr/bin/cloudflared",
        "\x7f"
        "ELF");
    EXPECT_EQ(look().script, "");
}

TEST_F(LookAtFiles, EnvironmentFilesThatOnlyHoldTheToken) {
    settings_.environment_files = {"-/etc/default/a", "/etc/default/b", "/etc/default/c"};
    put("/etc/default/a", "# the token\nTUNNEL_TOKEN=eyJ\n");
    put("/etc/default/b", "TUNNEL_TOKEN=eyJ\nHTTPS_PROXY=http://p\n");
    EXPECT_THAT(look().token_only, ElementsAre("/etc/default/a"));
    put("/etc/default/a", "# nothing\n");
    EXPECT_THAT(look().token_only, IsEmpty());
}

}  // namespace
}  // namespace keyturn
