// Layouts of hosts in the field: what is refused about each, and what its operator is told to do.
#include "setup/unit_drop_in.hpp"

#include "cloudflared/unit_words.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::IsSupersetOf;
using ::testing::Not;

const std::string token_file = "/var/lib/keyturn/tokens/web";
constexpr const char* ours = "LoadCredential=token:/var/lib/keyturn/tokens/web";
constexpr const char* unset = "UnsetEnvironment=TUNNEL_TOKEN TUNNEL_TOKEN_FILE";

UnitSettings unit(std::vector<std::string> arguments) {
    UnitSettings settings;
    settings.name = "cloudflared.service";
    settings.files = {"/etc/systemd/system/cloudflared.service"};
    settings.exec_start = {std::move(arguments)};
    return settings;
}

UnitSettings stock(std::vector<std::string> options = {"--token-file", "/etc/cloudflared/token"}) {
    std::vector<std::string> arguments{"/usr/bin/cloudflared", "--no-autoupdate", "tunnel", "run"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return unit(std::move(arguments));
}

std::vector<std::string> lines(const UnitSettings& settings, const ConnectorFiles& files = {}) {
    return token_drop_in(settings, token_file, files);
}

std::string problem(const UnitSettings& settings, const ConnectorFiles& files = {}) {
    return token_source_problem(settings, token_file, files).value_or("none");
}

constexpr const char* stock_command =
    "ExecStart=/usr/bin/cloudflared --no-autoupdate tunnel run --token-file %d/token";

TEST(FieldLayouts, StockUnitWithTheTokenOnItsCommandLine) {
    const UnitSettings settings = stock({"--token", ""});
    EXPECT_THAT(problem(settings), HasSubstr("shows it to all users"));
    EXPECT_THAT(lines(settings),
                ElementsAre("[Service]", ours, unset, "ExecStart=", stock_command));
}

TEST(FieldLayouts, StockUnitWithATokenFile) {
    EXPECT_THAT(problem(stock()), HasSubstr("it reads its token from /etc/cloudflared/token"));
    EXPECT_THAT(lines(stock()), ElementsAre("[Service]", ours, unset, "ExecStart=", stock_command));
}

TEST(FieldLayouts, EnvironmentFileThatOnlyHoldsTheToken) {
    UnitSettings settings = stock({});
    settings.environment_files = {"/etc/default/cloudflared", "-/etc/default/locale"};
    ConnectorFiles files;
    files.token_only = {"/etc/default/cloudflared"};
    EXPECT_THAT(lines(settings, files),
                ElementsAre("[Service]", "EnvironmentFile=", "EnvironmentFile=-/etc/default/locale",
                            ours, unset, "ExecStart=", stock_command));
    EXPECT_THAT(still_needed(settings, token_file, files), IsEmpty());
    // One that holds more, or cannot be read, stays, and is told of.
    EXPECT_THAT(lines(settings),
                ElementsAre("[Service]", ours, unset, "ExecStart=", stock_command));
    EXPECT_THAT(still_needed(settings, token_file, {}),
                ElementsAre("EnvironmentFile=/etc/default/cloudflared"));
}

TEST(FieldLayouts, TokenThroughAVariableOnTheCommandLine) {
    UnitSettings settings = stock({"--token", "${TUNNEL_TOKEN}"});
    settings.environment_files = {"-/etc/default/cloudflared"};
    EXPECT_THAT(lines(settings), Contains(stock_command));
    EXPECT_THAT(still_needed(settings, token_file, {}), IsEmpty()) << "it may be missing";
}

TEST(FieldLayouts, ManagersEnvironment) {
    UnitSettings settings = stock({"--token-file", "%d/token"});
    settings.load_credentials = {{"token", token_file}};
    EXPECT_EQ(problem(settings), "none");
    settings.manager_environment = {"LANG=", "TUNNEL_TOKEN="};
    EXPECT_THAT(problem(settings), HasSubstr("systemctl set-environment"));
    settings.unset_environment = {"TUNNEL_TOKEN", "TUNNEL_TOKEN_FILE"};
    EXPECT_EQ(problem(settings), "none");
}

TEST(FieldLayouts, CredentialsAndConditionsOfTheOldTokenGoAndTheOthersStay) {
    UnitSettings settings = stock({"--token-file", "%d/tunnel-token", "--origin-ca-pool",
                                   "/run/credentials/cloudflared.service/ca"});
    settings.load_credentials = {{"tunnel-token", "/etc/cloudflared/x.token"},
                                 {"ca", "/etc/ssl/100%.pem"}};
    settings.encrypted_credentials = {{"sealed", "/etc/x.cred"}};
    settings.conditions = {{"ConditionFileNotEmpty", false, false, "/etc/cloudflared/x.token"},
                           {"ConditionHost", true, true, "spare"},
                           {"AssertPathExists", false, false, "/etc/ssl"},
                           {"AssertPathExistsGlob", false, false, "/etc/cloudflared/*.token"},
                           {"ConditionDirectoryNotEmpty", false, false, "/etc/cloudflared"}};
    EXPECT_THAT(lines(settings),
                ElementsAre("[Unit]", "ConditionDirectoryNotEmpty=", "ConditionHost=|!spare",
                            "AssertPathExistsGlob=", "AssertPathExists=/etc/ssl", "[Service]",
                            "LoadCredential=", "LoadCredential=ca:/etc/ssl/100%%.pem",
                            "LoadCredentialEncrypted=sealed:/etc/x.cred", ours, unset, "ExecStart=",
                            "ExecStart=/usr/bin/cloudflared --no-autoupdate tunnel run "
                            "--token-file %d/token --origin-ca-pool "
                            "/run/credentials/cloudflared.service/ca"));
}

TEST(FieldLayouts, NothingIsResetThatOnlyOthersNeed) {
    UnitSettings settings = stock();
    settings.load_credentials = {{"ca", "/etc/ca.pem"}};
    settings.conditions = {{"ConditionPathExists", false, false, "/etc/other"}};
    EXPECT_THAT(lines(settings),
                ElementsAre("[Service]", ours, unset, "ExecStart=", stock_command));
}

TEST(FieldLayouts, SealedCredential) {
    UnitSettings settings = stock({"--token-file", "${CREDENTIALS_DIRECTORY}/tunnel"});
    settings.encrypted_credentials = {{"tunnel", "/etc/credstore.encrypted/tunnel"}};
    EXPECT_THAT(problem(settings), HasSubstr("from /etc/credstore.encrypted/tunnel, not from"));
    EXPECT_THAT(lines(settings), ElementsAre("[Service]", "LoadCredential=", ours, unset,
                                             "ExecStart=", stock_command));
}

TEST(FieldLayouts, InlineCredentialOfOurNameNeverStepsIn) {
    UnitSettings settings = stock({"--token-file", "%d/token"});
    settings.set_credentials = {"token"};
    EXPECT_THAT(lines(settings),
                IsSupersetOf({"LoadCredential=keyturn-token:/var/lib/keyturn/tokens/web",
                              "ExecStart=/usr/bin/cloudflared --no-autoupdate tunnel run "
                              "--token-file %d/keyturn-token"}));
}

TEST(FieldLayouts, WhatElseNeedsTheOldFileIsNamed) {
    UnitSettings settings = stock();
    settings.needs = {{"BindReadOnlyPaths", "/etc/cloudflared/token"},
                      {"ExecStartPre", "/usr/bin/test -s /etc/cloudflared/token"},
                      {"ReadOnlyPaths", "/srv"}};
    EXPECT_THAT(still_needed(settings, token_file, {}),
                ElementsAre("BindReadOnlyPaths=/etc/cloudflared/token",
                            "ExecStartPre=/usr/bin/test -s /etc/cloudflared/token"));
}

TEST(FieldLayouts, LocallyManagedTunnel) {
    const UnitSettings settings =
        unit({"/usr/bin/cloudflared", "--config", "/etc/x/config.yml", "tunnel", "run", "home"});
    ConnectorFiles files;
    files.configuration.path = "/etc/x/config.yml";
    files.configuration.credentials_file = "/root/.cloudflared/x.json";
    files.configuration.tunnel = "F70FF985-A4EF-4643-BBBC-4A0ED4FC8415";
    EXPECT_THAT(problem(settings, files), HasSubstr("credentials JSON"));
    EXPECT_THAT(lines(settings, files).back(),
                HasSubstr("--config /etc/x/config.yml tunnel run --token-file %d/token home"));
    EXPECT_EQ(tunnel_named_by(settings, files), "") << "the name on the command line counts";
    EXPECT_EQ(tunnel_named_by(stock(), files), "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415");
    EXPECT_EQ(tunnel_named_by(stock({"--pq", "F70FF985-A4EF-4643-BBBC-4A0ED4FC8415"}), {}),
              "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415");
}

TEST(FieldLayouts, TokenInTheConfiguration) {
    UnitSettings settings = stock({"--token-file", "%d/token"});
    settings.load_credentials = {{"token", token_file}};
    ConnectorFiles files;
    files.configuration.path = "/etc/cloudflared/config.yml";
    files.configuration.token = true;
    EXPECT_THAT(problem(settings, files),
                AllOf(HasSubstr("/etc/cloudflared/config.yml sets `token:`"),
                      HasSubstr("remove that line")));
    files.configuration.token = false;
    files.configuration.token_file = token_file;
    EXPECT_EQ(problem(stock({}), files), "none") << "token-file: counts where no option is given";
    files.configuration.token_file = "/etc/old";
    EXPECT_EQ(problem(settings, files), "none");
    EXPECT_THAT(problem(stock({}), files), HasSubstr("from /etc/old, not from"));
}

TEST(FieldLayouts, WhatCannotBeSeenHasToBeAttested) {
    UnitSettings settings = stock({"--token-file", "%d/token"});
    settings.load_credentials = {{"token", token_file}};
    ConnectorFiles files;
    EXPECT_EQ(problem(settings, files), "none");
    files.unseen = {"/root/.cloudflared/config.yml", "/root/.cloudflared/config.yaml"};
    EXPECT_THAT(problem(settings, files),
                AllOf(HasSubstr("cannot read /root/.cloudflared: a line"),
                      HasSubstr("run as root: keyturnctl doctor cloudflared.service")));
}

TEST(FieldLayouts, WhatIsUnclearIsAFinding) {
    ConnectorFiles files;
    EXPECT_THAT(token_source_findings(stock(), files), IsEmpty());
    files.configuration.path = "/etc/x.yml";
    files.configuration.unclear = true;
    EXPECT_THAT(token_source_findings(stock(), files), ElementsAre(HasSubstr("/etc/x.yml")));
}

TEST(FieldLayouts, ProgramInFront) {
    for (const char* front : {"doppler", "op"}) {
        const UnitSettings settings =
            unit({std::string("/usr/bin/") + front, "run", "--", "/usr/bin/cloudflared", "tunnel",
                  "run", "--token-file", "%d/token"});
        EXPECT_THAT(problem(settings), AllOf(HasSubstr(front), HasSubstr("may set TUNNEL_TOKEN"),
                                             Not(HasSubstr("mkdir"))));
        EXPECT_THAT(lines(settings), IsEmpty());
    }
    EXPECT_THAT(lines(unit({"/usr/bin/env", "cloudflared", "tunnel", "run", "--token", ""})),
                Contains("ExecStart=/usr/bin/env cloudflared tunnel run --token-file %d/token"));
    const UnitSettings split =
        unit({"/usr/bin/env", "-S", "A=b", "cloudflared", "tunnel", "run", "--token-file", "/x"});
    EXPECT_THAT(lines(split), IsEmpty());
}

TEST(FieldLayouts, ShellsAndScriptsGetNoBrokenCommand) {
    const UnitSettings shell =
        unit({"/bin/bash", "-c", "exec cloudflared tunnel run --token \"$(cat /etc/x)\""});
    EXPECT_TRUE(names_a_connector(shell));
    EXPECT_THAT(problem(shell), AllOf(HasSubstr("bash starts it"), Not(HasSubstr("$(cat")),
                                      HasSubstr("make the unit start cloudflared itself")));
    EXPECT_THAT(lines(shell), IsEmpty());
    ConnectorFiles files;
    files.script = "/usr/bin/cloudflared";
    EXPECT_THAT(problem(stock(), files), AllOf(HasSubstr("/usr/bin/cloudflared is a shell script"),
                                               Not(HasSubstr("mkdir"))));
    EXPECT_THAT(problem(unit({"/usr/local/bin/start-tunnel"})),
                HasSubstr("make the unit start cloudflared itself"));
}

TEST(FieldLayouts, RenamedBinary) {
    EXPECT_THAT(lines(unit({"/opt/cf/tunnel-client", "tunnel", "run", "--token", ""})),
                Contains("ExecStart=/opt/cf/tunnel-client tunnel run --token-file %d/token"));
}

TEST(FieldLayouts, ContainersAreNotRewritten) {
    EXPECT_THAT(lines(unit({"/usr/bin/docker", "run", "--rm", "cloudflare/cloudflared", "tunnel",
                            "run", "--token", ""})),
                IsEmpty());
}

TEST(FieldLayouts, UnitFilesThatAreWrittenAnew) {
    UnitSettings settings = stock({"--credentials-file", "%d/credentials.json"});
    settings.files = {"/nix/store/abc-unit/cloudflared-tunnel-x.service"};
    EXPECT_THAT(problem(settings),
                AllOf(HasSubstr("configuration of this host"), Not(HasSubstr("mkdir"))));
    settings.files = {"/run/systemd/transient/x.service"};
    EXPECT_THAT(problem(settings), AllOf(HasSubstr("systemd-run"), Not(HasSubstr("mkdir"))));
}

std::string last(std::vector<std::string> files) {
    UnitSettings settings = stock();
    settings.files.insert(settings.files.end(), files.begin(), files.end());
    return last_drop_in_name(settings);
}

TEST(LastDropInName, SortsBehindAll) {
    const std::string own = "/etc/systemd/system/cloudflared.service.d/";
    EXPECT_EQ(last({}), "zz-keyturn.conf");
    EXPECT_EQ(last({own + "override.conf"}), "zz-keyturn.conf");
    EXPECT_EQ(last({own + "zz-keyturn.conf"}), "zz-keyturn.conf") << "written again";
    EXPECT_EQ(last({own + "zz-keyturn.conf", own + "zz-local.conf"}), "zz-local.keyturn.conf");
    EXPECT_EQ(last({"/run/systemd/system/cloudflared.service.d/zzz.conf"}), "zzz.keyturn.conf");
    EXPECT_EQ(last({"/run/systemd/system/service.d/zzz.conf", own + "zzz.keyturn.conf"}),
              "zzz.keyturn.conf");
    EXPECT_EQ(last({"/etc/systemd/system/cloudflared@.service.d/zz-keyturn.conf"}),
              "zz-keyturn.keyturn.conf")
        << "of two files of one name systemd reads one";
    for (const char* name : {"~.conf", "zz-local.conf", "zzzz.conf", "\xc3\xa9.conf", "zz.conf"}) {
        const std::string own_name = last({own + name});
        EXPECT_GT(own_name, name);
        EXPECT_TRUE(own_name.ends_with(".conf"));
    }
}

TEST(LastDropInName, WhatSortsBehindOursIsNamed) {
    UnitSettings settings = stock();
    settings.files.push_back("/etc/systemd/system/cloudflared.service.d/keyturn.conf");
    EXPECT_EQ(overriding_drop_ins(settings.files), "");
    settings.files.push_back("/etc/systemd/system/cloudflared.service.d/override.conf");
    EXPECT_THAT(problem(settings), HasSubstr("override.conf sorts after keyturn.conf; "));
}

TEST(TokenDropIn, KeepsTheOtherArgumentsAndQuotesThem) {
    UnitSettings settings;
    settings.name = "web.service";
    settings.exec_start = {{"/opt/my apps/cloudflared", "tunnel", "--credentials-file", "/c.json",
                            "--label", "50% \"a\\b\"", "run", "-token-file=/t", "--pq", "",
                            "name"}};
    EXPECT_THAT(token_drop_in(settings, "/t/100%"),
                ElementsAre("[Service]", "LoadCredential=token:/t/100%%",
                            "UnsetEnvironment=TUNNEL_TOKEN TUNNEL_TOKEN_FILE", "ExecStart=",
                            R"(ExecStart="/opt/my apps/cloudflared" tunnel --label )"
                            R"("50%% \"a\\b\"" run --token-file %d/token --pq "" name)"));
}

TEST(TokenDropIn, LeavesWordsOfCloudflaredThatLookLikeAssignments) {
    EXPECT_EQ(token_drop_in(stock({"TUNNEL_TOKEN=", "--token-file"}), token_file).back(),
              "ExecStart=/usr/bin/cloudflared --no-autoupdate tunnel run --token-file %d/token "
              "TUNNEL_TOKEN= --token-file");
}

TEST(TokenDropIn, IsOneLineEach) {
    const std::vector<std::string> lines =
        token_drop_in(stock({"--label", "a\nExecStartPost=/x", "--tag", "\x1b[31m"}), token_file);
    EXPECT_THAT(lines.back(), HasSubstr(R"(a\x0aExecStartPost=/x)"));
    EXPECT_THAT(lines.back(), HasSubstr(R"(\x1b[31m)"));
}

TEST(DropInText, RemembersTheTokenBefore) {
    const TokenBefore before{"0123456789abcdef", {"/etc/cloudflared/token", "/etc/a b/x"}};
    const std::string text = drop_in_text("x.service", {"[Service]", "A=b"}, before);
    EXPECT_THAT(text, HasSubstr("keyturnctl adopt --undo x.service\n"));
    EXPECT_THAT(text, ::testing::EndsWith("\n[Service]\nA=b\n"));
    EXPECT_EQ(token_before(text), before);
    EXPECT_EQ(token_before("[Service]\n"), TokenBefore{});
    const TokenBefore kept{"0123456789abcdef", {"/etc/cloudflared/token"}, true};
    EXPECT_EQ(token_before(drop_in_text("a.service", {"[Service]"}, kept)), kept);
}

}  // namespace
}  // namespace keyturn
