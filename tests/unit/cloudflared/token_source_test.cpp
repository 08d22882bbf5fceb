#include "cloudflared/token_source.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* token_file = "/var/lib/keyturn/tokens/web";

UnitSettings unit(std::vector<std::string> options) {
    UnitSettings settings;
    settings.name = "web@1.service";
    std::vector<std::string> arguments{"/usr/bin/cloudflared", "--no-autoupdate", "tunnel", "run"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    settings.exec_start.push_back(std::move(arguments));
    return settings;
}

TokenSource source(TokenOrigin origin, const char* path = "", bool credentials_json = false) {
    return TokenSource{origin, path, credentials_json};
}

UnitSettings good_unit() {
    UnitSettings settings = unit({"--token-file", "/run/credentials/web@1.service/token"});
    settings.load_credentials.emplace_back("token", token_file);
    return settings;
}

std::string problem(const UnitSettings& settings) {
    return token_source_problem(settings, token_file).value_or("none");
}

TEST(TokenSourceOf, CredentialInEverySpelling) {
    for (const char* path : {"/run/credentials/web@1.service/token", "%d/token",
                             "${CREDENTIALS_DIRECTORY}/token", "$CREDENTIALS_DIRECTORY/token"}) {
        UnitSettings settings = unit({"--token-file", path});
        settings.load_credentials = {{"other", "/x"}, {"token", token_file}};
        EXPECT_EQ(token_source_of(settings), source(TokenOrigin::credential, token_file)) << path;
        EXPECT_EQ(problem(settings), "none") << path;
    }
}

TEST(TokenSourceOf, CredentialThatIsNotLoaded) {
    EXPECT_EQ(token_source_of(unit({"--token-file=%d/token"})), source(TokenOrigin::credential));
    EXPECT_THAT(problem(unit({"--token-file=%d/token"})), HasSubstr("no LoadCredential= loads"));
}

TEST(TokenSourceOf, DirectoryOfAnotherUnitIsAFile) {
    EXPECT_EQ(token_source_of(unit({"--token-file", "/run/credentials/web@2.service/token"})),
              source(TokenOrigin::file, "/run/credentials/web@2.service/token"));
    EXPECT_EQ(token_source_of(unit({"--token-file", "%d/a/b"})),
              source(TokenOrigin::file, "%d/a/b"));
}

TEST(TokenSourceOf, File) {
    EXPECT_EQ(token_source_of(unit({"--token-file", "/etc/cloudflared/token"})),
              source(TokenOrigin::file, "/etc/cloudflared/token"));
    EXPECT_EQ(token_source_of(unit({"--token-file", token_file})),
              source(TokenOrigin::file, token_file));
    EXPECT_EQ(problem(unit({"--token-file", token_file})), "none");
    EXPECT_THAT(problem(unit({"--token-file", "/etc/cloudflared/token"})),
                HasSubstr("from /etc/cloudflared/token, not from /var/lib/keyturn/tokens/web"));
}

TEST(TokenSourceOf, PathWithAVariableIsNotKnown) {
    EXPECT_EQ(token_source_of(unit({"--token-file", "${WHERE}"})), source(TokenOrigin::file));
    EXPECT_THAT(problem(unit({"--token-file", "${WHERE}"})), HasSubstr("unknown until it starts"));
}

TEST(TokenSourceOf, VariableForThePath) {
    UnitSettings settings = unit({});
    settings.environment = {"TUNNEL_TOKEN_FILE=/old", "TUNNEL_TOKEN_FILE=/etc/t"};
    EXPECT_EQ(token_source_of(settings), source(TokenOrigin::file, "/etc/t"));
    settings.exec_start = unit({"--token-file", "/flag"}).exec_start;
    EXPECT_EQ(token_source_of(settings), source(TokenOrigin::file, "/flag"));
    settings.exec_start = unit({}).exec_start;
    settings.unset_environment = {"TUNNEL_TOKEN_FILE"};
    EXPECT_EQ(token_source_of(settings), source(TokenOrigin::configuration));
}

TEST(TokenSourceOf, TokenOptionBeatsEverything) {
    for (const auto& options : std::vector<std::vector<std::string>>{
             {"--token", "", "--token-file", token_file}, {"--token="}, {"-token", ""}}) {
        EXPECT_EQ(token_source_of(unit(options)), source(TokenOrigin::argument));
        EXPECT_THAT(problem(unit(options)), HasSubstr("its command line contains the token"));
    }
}

TEST(TokenSourceOf, TokenVariableBeatsTheFile) {
    UnitSettings settings = good_unit();
    settings.environment = {"TUNNEL_TOKEN="};
    EXPECT_EQ(token_source_of(settings), source(TokenOrigin::environment));
    settings.unset_environment = {"TUNNEL_TOKEN=value"};
    EXPECT_EQ(token_source_of(settings), source(TokenOrigin::environment));
    settings.unset_environment = {"TUNNEL_TOKEN"};
    EXPECT_EQ(token_source_of(settings), source(TokenOrigin::credential, token_file));
}

TEST(TokenSourceOf, EnvironmentFileMaySetTheToken) {
    UnitSettings settings = good_unit();
    settings.environment_files = {"/etc/default/cloudflared"};
    EXPECT_EQ(token_source_of(settings), source(TokenOrigin::environment));
    settings.unset_environment = {"TUNNEL_TOKEN"};
    EXPECT_EQ(token_source_of(settings), source(TokenOrigin::credential, token_file));
    settings.exec_start = unit({}).exec_start;
    EXPECT_EQ(token_source_of(settings), source(TokenOrigin::environment));
}

TEST(TokenSourceOf, PassedEnvironmentMaySetTheToken) {
    UnitSettings settings = good_unit();
    settings.pass_environment = {"TUNNEL_TOKEN"};
    EXPECT_EQ(token_source_of(settings), source(TokenOrigin::environment));
}

TEST(TokenSourceOf, ProgramInFrontAssignsLast) {
    UnitSettings settings = good_unit();
    settings.exec_start = {{"/usr/bin/env", "TUNNEL_TOKEN=", "/usr/bin/cloudflared", "tunnel",
                            "run", "--token-file", "%d/token"}};
    settings.unset_environment = {"TUNNEL_TOKEN"};
    EXPECT_EQ(token_source_of(settings), source(TokenOrigin::environment));
    EXPECT_THAT(problem(settings), HasSubstr("keyturnctl adopt"));
}

TEST(TokenSourceOf, Credentials) {
    EXPECT_EQ(token_source_of(unit({"--cred-file", "/c.json", "name"})),
              source(TokenOrigin::file, "/c.json", true));
    EXPECT_THAT(problem(unit({"--credentials-file", token_file})), HasSubstr("credentials JSON"));
    EXPECT_EQ(token_source_of(unit({"--credentials-contents=", "--credentials-file", "/c"})),
              source(TokenOrigin::argument));
    EXPECT_EQ(token_source_of(unit({"--credentials-file", "/c", "--token-file", "/t"})),
              source(TokenOrigin::file, "/t"));
    UnitSettings settings = unit({});
    settings.environment = {"TUNNEL_CRED_FILE=/c.json"};
    EXPECT_EQ(token_source_of(settings), source(TokenOrigin::file, "/c.json", true));
    settings.environment.emplace_back("TUNNEL_CRED_CONTENTS=");
    EXPECT_EQ(token_source_of(settings), source(TokenOrigin::environment));
}

TEST(TokenSourceOf, Configuration) {
    UnitSettings settings;
    settings.name = "cloudflared.service";
    settings.exec_start = {
        {"/usr/bin/cloudflared", "--config", "/etc/cloudflared/config.yml", "tunnel", "run"}};
    EXPECT_EQ(token_source_of(settings),
              source(TokenOrigin::configuration, "/etc/cloudflared/config.yml"));
    EXPECT_THAT(problem(settings), HasSubstr("config.yml decides"));
    EXPECT_EQ(token_source_of(unit({"--token-file="})), source(TokenOrigin::configuration));
}

TEST(TokenSourceOf, OtherCommands) {
    UnitSettings settings;
    settings.name = "x.service";
    EXPECT_EQ(token_source_of(settings), source(TokenOrigin::not_cloudflared));
    settings.exec_start = {{"/usr/bin/sleep", "1"}};
    EXPECT_EQ(token_source_of(settings), source(TokenOrigin::not_cloudflared));
    EXPECT_THAT(problem(settings), HasSubstr("not `cloudflared ... tunnel run`"));
}

TEST(TokenSourceProblem, NamesTheCommandThatHelps) {
    const std::string text = problem(unit({"--token", "", "--metrics", "127.0.0.1:20300"}));
    EXPECT_THAT(text, HasSubstr("run as root: keyturnctl adopt web@1.service"));
    EXPECT_THAT(text, Not(HasSubstr("\n")));
}

TEST(TokenSourceFindings, ADropInBehindOurs) {
    UnitSettings settings = good_unit();
    settings.files = {"/etc/systemd/system/web@.service", "/etc/x.d/zz-keyturn.conf"};
    EXPECT_TRUE(token_source_findings(settings, {}).empty());
    settings.files.emplace_back("/etc/x.d/zzz.conf");
    EXPECT_THAT(token_source_findings(settings, {}),
                ::testing::ElementsAre("/etc/x.d/zzz.conf sorts after zz-keyturn.conf and may "
                                       "override it; run as root: keyturnctl adopt web@1.service"));
}

TEST(TokenSourceProblem, IsOneLine) {
    EXPECT_THAT(problem(unit({"--token-file", "/a\nb"})), HasSubstr(R"(from /a\x0ab, not)"));
    EXPECT_EQ(metrics_address_of(unit({"--metrics", "a\nb:1"})), std::nullopt);
}

TEST(MetricsAddressOf, FixedAddresses) {
    const std::vector<std::pair<const char*, std::optional<std::string>>> cases{
        {"127.0.0.1:20300", "127.0.0.1:20300"},
        {"localhost:20300", "127.0.0.1:20300"},
        {":20300", "127.0.0.1:20300"},
        {"0.0.0.0:20300", "127.0.0.1:20300"},
        {"[::]:20300", "[::1]:20300"},
        {"192.0.2.1:1", "192.0.2.1:1"},
        {"127.0.0.1:0", std::nullopt},
        {"127.0.0.1:", std::nullopt},
        {"127.0.0.1", std::nullopt},
        {"127.0.0.1:http", std::nullopt},
        {"${ADDRESS}:1", std::nullopt},
        {"", std::nullopt}};
    for (const auto& [text, expected] : cases)
        EXPECT_EQ(metrics_address_of(unit({"--metrics", text})), expected) << text;
}

TEST(MetricsAddressOf, VariableUnlessTheOptionIsGiven) {
    UnitSettings settings = unit({});
    EXPECT_EQ(metrics_address_of(settings), std::nullopt);
    settings.environment = {"TUNNEL_METRICS=127.0.0.1:1"};
    EXPECT_EQ(metrics_address_of(settings), "127.0.0.1:1");
    settings.exec_start = unit({"--metrics", "127.0.0.1:2"}).exec_start;
    EXPECT_EQ(metrics_address_of(settings), "127.0.0.1:2");
    settings.exec_start = {{"/usr/bin/sleep"}};
    EXPECT_EQ(metrics_address_of(settings), std::nullopt);
}

}  // namespace
}  // namespace keyturn
