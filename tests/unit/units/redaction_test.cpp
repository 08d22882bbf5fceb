#include "units/redaction.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace keyturn {
namespace {

const std::string token = "eyJhIjoiNjk5ZDk4NjQyYzU2NGQyZTg1NWU5NjYxODk5YjcyNTIiLCJ0IjoiZjcwZiJ9";

std::vector<std::string> cut(const std::vector<std::string>& arguments) {
    ArgumentCut argument_cut;
    std::vector<std::string> kept;
    for (const std::string& argument : arguments) kept.push_back(argument_cut.next(argument));
    return kept;
}

using Arguments = std::vector<std::string>;

TEST(ArgumentCut, CutsTheValueOfSecretOptions) {
    EXPECT_EQ(cut({"run", "--token", "short", "next"}), (Arguments{"run", "--token", "", "next"}));
    EXPECT_EQ(cut({"run", "-token", "short"}), (Arguments{"run", "-token", ""}));
    EXPECT_EQ(cut({"run", "--token=short", "next"}), (Arguments{"run", "--token=", "next"}));
    EXPECT_EQ(cut({"run", "-token=short"}), (Arguments{"run", "-token="}));
    EXPECT_EQ(cut({"--credentials-contents", "{}"}), (Arguments{"--credentials-contents", ""}));
    EXPECT_EQ(cut({"--credentials-contents={}"}), (Arguments{"--credentials-contents="}));
}

TEST(ArgumentCut, KeepsWhatIsNoSecret) {
    const Arguments arguments{"/usr/bin/cloudflared",
                              "--no-autoupdate",
                              "tunnel",
                              "run",
                              "--token-file",
                              "/etc/cloudflared/token",
                              "--token-file=/x",
                              "--metrics",
                              "127.0.0.1:20300",
                              "eyJ",
                              "token",
                              ""};
    EXPECT_EQ(cut(arguments), arguments);
}

TEST(ArgumentCut, OptionWithoutAValueIsTheEnd) {
    EXPECT_EQ(cut({"run", "--token"}), (Arguments{"run", "--token"}));
    EXPECT_EQ(cut({}), Arguments{});
}

TEST(ArgumentCut, CutsTokensWhereverTheyAre) {
    EXPECT_EQ(cut({"service", "install", token}), (Arguments{"service", "install", ""}));
    EXPECT_EQ(
        cut({"sh", "-c", "exec cloudflared tunnel run --token " + token + " --loglevel debug"}),
        (Arguments{"sh", "-c", "exec cloudflared tunnel run --token  --loglevel debug"}));
    EXPECT_EQ(cut({"x" + token + " " + token}), Arguments{"x "});
}

TEST(ArgumentCut, CutsAssignments) {
    EXPECT_EQ(cut({"/usr/bin/env", "TUNNEL_TOKEN=short", "cloudflared"}),
              (Arguments{"/usr/bin/env", "TUNNEL_TOKEN=", "cloudflared"}));
    EXPECT_EQ(cut({"TUNNEL_TOKEN='a' TUNNEL_CRED_CONTENTS=\"b\"; run"}),
              Arguments{"TUNNEL_TOKEN= TUNNEL_CRED_CONTENTS="});
    EXPECT_EQ(cut({"TUNNEL_TOKEN='a b'\"c;\\\" d\"e; TUNNEL_TOKEN=a\\ b run"}),
              Arguments{"TUNNEL_TOKEN=; TUNNEL_TOKEN= run"});
    EXPECT_EQ(cut({"TUNNEL_TOKEN='never closed; run"}), Arguments{"TUNNEL_TOKEN="});
    EXPECT_EQ(cut({"TUNNEL_TOKEN_FILE=/x"}), Arguments{"TUNNEL_TOKEN_FILE=/x"});
}

TEST(ArgumentCut, CutsCredentialsThatAreJson) {
    const std::string json = R"({"AccountTag": "a", "TunnelSecret": "c2VjcmV0"})";
    EXPECT_EQ(cut({"TUNNEL_CRED_CONTENTS=" + json}), Arguments{"TUNNEL_CRED_CONTENTS="});
    EXPECT_EQ(cut({"sh", "-c", "TUNNEL_CRED_CONTENTS='" + json + "' cloudflared tunnel run"}),
              (Arguments{"sh", "-c", "TUNNEL_CRED_CONTENTS="}));
    EXPECT_EQ(cut({"cloudflared tunnel run --credentials-contents '" + json + "'"}),
              Arguments{"cloudflared tunnel run --credentials-contents "});
    EXPECT_EQ(cut({"cloudflared tunnel run --credentials-contents=" + json}),
              Arguments{"cloudflared tunnel run --credentials-contents="});
    EXPECT_EQ(cut({"TUNNEL_TOKEN='x TUNNEL_CRED_CONTENTS='" + json}), Arguments{"TUNNEL_TOKEN="});
    EXPECT_EQ(cut({"/etc/credentials-contents.json"}), Arguments{"/etc/credentials-contents.json"});
}

TEST(CutEnvironment, KeepsValuesOfHarmlessNamesOnly) {
    EXPECT_EQ(cut_environment("TUNNEL_TOKEN=secret"), "TUNNEL_TOKEN=");
    EXPECT_EQ(cut_environment("PASSWORD=hunter2=x"), "PASSWORD=");
    EXPECT_EQ(cut_environment("TUNNEL_TOKEN_FILE=/x=y"), "TUNNEL_TOKEN_FILE=/x=y");
    EXPECT_EQ(cut_environment("TUNNEL_METRICS=127.0.0.1:1"), "TUNNEL_METRICS=127.0.0.1:1");
    EXPECT_EQ(cut_environment("TUNNEL_TOKEN_FILE=" + token), "TUNNEL_TOKEN_FILE=");
    EXPECT_EQ(cut_environment("ODD"), "ODD=");
    EXPECT_EQ(cut_environment(""), "=");
}

}  // namespace
}  // namespace keyturn
