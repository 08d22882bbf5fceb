// Units that start cloudflared in a container: which of them take their token from keyturn, and
// what the operator of the others is told.
#include "cloudflared/container.hpp"

#include "cloudflared/token_source.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using Words = std::vector<std::string>;

const std::string token_file = "/var/lib/keyturn/tokens/web";
constexpr const char* mount = "/run/credentials/web.service/token:/run/keyturn/token:ro";

UnitSettings unit(Words arguments) {
    UnitSettings settings;
    settings.name = "web.service";
    settings.files = {"/etc/systemd/system/web.service"};
    settings.exec_start = {std::move(arguments)};
    settings.load_credentials = {{"token", token_file}};
    return settings;
}

/// `podman run` or `docker run`, as systemd shows what keyturn.yaml(5) recommends.
UnitSettings engine_unit(const std::string& engine, const std::string& volume = mount) {
    return unit({engine, "run", "--rm", "--name", "web", "--user", "0", "--volume", volume,
                 "--publish", "127.0.0.1:20241:20241", "docker.io/cloudflare/cloudflared:latest",
                 "tunnel", "--no-autoupdate", "--metrics", "0.0.0.0:20241", "run", "--token-file",
                 "/run/keyturn/token"});
}

/// What podman's generator writes for a .container file (podman 5, quadlet.go), as systemd shows
/// it.
UnitSettings quadlet(const std::string& volume = mount) {
    UnitSettings settings = unit({"/usr/bin/podman",
                                  "run",
                                  "--name",
                                  "systemd-web",
                                  "--replace",
                                  "--rm",
                                  "--cgroups=split",
                                  "--sdnotify=container",
                                  "-d",
                                  "--user",
                                  "0",
                                  "-v",
                                  volume,
                                  "--publish",
                                  "127.0.0.1:20241:20241",
                                  "docker.io/cloudflare/cloudflared:latest",
                                  "tunnel",
                                  "--metrics",
                                  "0.0.0.0:20241",
                                  "run",
                                  "--token-file",
                                  "/run/keyturn/token"});
    settings.files = {"/run/systemd/generator/web.service"};
    settings.environment = {"PODMAN_SYSTEMD_UNIT=web.service"};
    return settings;
}

std::string problem(const UnitSettings& settings, const ConnectorFiles& files = {}) {
    return token_source_problem(settings, token_file, files).value_or("none");
}

std::vector<UnitSettings> all_forms(const std::string& volume = mount) {
    return {engine_unit("/usr/bin/podman", volume), engine_unit("/usr/bin/docker", volume),
            quadlet(volume)};
}

TEST(Containers, ThatTakeTheirTokenFromTheUnitAreUnitsLikeAnyOther) {
    for (const char* volume :
         {mount, "%d/token:/run/keyturn/token:ro", "%d:/run/keyturn:ro", "%d:/run/keyturn",
          "${CREDENTIALS_DIRECTORY}/token:/run/keyturn/token:ro",
          "/run/credentials/web.service:/run/keyturn:ro,z"}) {
        for (const UnitSettings& settings : all_forms(volume)) {
            EXPECT_EQ(problem(settings), "none") << volume;
            EXPECT_EQ(token_source_of(settings),
                      (TokenSource{TokenOrigin::credential, token_file, false}));
        }
    }
    UnitSettings settings = engine_unit("/usr/bin/docker", "/srv:/srv");
    settings.exec_start[0].insert(
        settings.exec_start[0].begin() + 2,
        {"--mount=type=bind,source=%d/token,target=/run/keyturn/token,readonly"});
    EXPECT_EQ(problem(settings), "none");
    settings.environment = {"TUNNEL_TOKEN="};
    EXPECT_EQ(problem(settings), "none") << "it does not get into the container";
}

TEST(Containers, ThatAlreadyTakeItAreNotAdopted) {
    for (const UnitSettings& settings : all_forms()) {
        EXPECT_THAT(adoption_obstacle(settings).value_or(""),
                    AllOf(HasSubstr("already takes its token from " + token_file),
                          HasSubstr("`metrics_address:`")));
    }
}

TEST(Containers, NeverMountTheTokensOfAllTunnels) {
    for (const char* volume :
         {"/var/lib/keyturn/tokens:/run/keyturn:ro", "/var/lib/keyturn:/keyturn",
          "/var/lib/keyturn/tokens/web:/run/keyturn/token:ro", "/var/lib/keyturn/tokens/:/x",
          "/:/host"}) {
        for (UnitSettings settings : all_forms()) {
            auto& words = settings.exec_start[0];
            words.insert(words.begin() + 2, {"-v", volume});
            EXPECT_THAT(problem(settings), AllOf(HasSubstr("the tokens of all tunnels"),
                                                 HasSubstr("/run/keyturn/token:ro")))
                << volume;
        }
    }
    UnitSettings other = engine_unit("/usr/bin/podman");
    other.exec_start[0].insert(other.exec_start[0].begin() + 2, {"-v", "/var/lib/keyturned:/x"});
    EXPECT_EQ(problem(other), "none");
}

TEST(Containers, WithAnotherTokenAreRefused) {
    for (const Words& option : std::vector<Words>{{"--env", "TUNNEL_TOKEN=x"},
                                                  {"-e", "TUNNEL_TOKEN"},
                                                  {"--env-file", "/etc/tunnel.env"},
                                                  {"--secret", "t,type=env,target=TUNNEL_TOKEN"}}) {
        for (UnitSettings settings : all_forms()) {
            settings.environment.emplace_back("TUNNEL_TOKEN=x");
            auto& words = settings.exec_start[0];
            words.insert(words.begin() + 2, option.begin(), option.end());
            EXPECT_THAT(problem(settings), HasSubstr("TUNNEL_TOKEN")) << option.front();
        }
    }
    for (UnitSettings settings : all_forms("/srv:/run/keyturn"))
        EXPECT_THAT(problem(settings), HasSubstr("it reads its token from /srv/token"));
    for (UnitSettings settings : all_forms("volume:/run/keyturn"))
        EXPECT_THAT(problem(settings), HasSubstr("unknown until it starts"));
    for (UnitSettings settings : all_forms()) {
        settings.load_credentials.clear();
        EXPECT_THAT(problem(settings), HasSubstr("no LoadCredential= loads"));
    }
}

TEST(Containers, OfAUnitAreToldTheLinesToChange) {
    for (const char* engine : {"/usr/bin/podman", "/usr/bin/docker"}) {
        const std::string text = problem(
            unit({engine, "run", "cloudflare/cloudflared", "tunnel", "run", "--token", "x"}));
        for (const char* line :
             {"'LoadCredential=token:/var/lib/keyturn/tokens/TUNNEL'", "--user 0",
              "--volume %d/token:/run/keyturn/token:ro", "--publish 127.0.0.1:20241:20241",
              "--metrics 0.0.0.0:20241", "--token-file /run/keyturn/token", "`metrics_address:`"})
            EXPECT_THAT(text, HasSubstr(line));
        EXPECT_THAT(text, AllOf(HasSubstr(std::string(engine).substr(9) + " command"),
                                Not(HasSubstr("[Container]"))));
    }
}

TEST(Containers, OfAQuadletAreToldTheKeysOfItsFile) {
    UnitSettings settings = unit({"/usr/bin/podman", "run", "--secret", "t,type=env",
                                  "cloudflare/cloudflared", "tunnel", "run"});
    settings.files = {"/run/systemd/generator/web.service"};
    const std::string text = problem(settings);
    for (const char* line :
         {"change web.container", "under [Service]",
          "'LoadCredential=token:/var/lib/keyturn/tokens/TUNNEL'", "under [Container]", "'User=0'",
          "'Volume=%d/token:/run/keyturn/token:ro'", "'PublishPort=127.0.0.1:20241:20241'",
          "'tunnel --metrics 0.0.0.0:20241 run --token-file /run/keyturn/token'"})
        EXPECT_THAT(text, HasSubstr(line));
}

TEST(Containers, ThatDoNotShowTheirCommandAreToldTheSame) {
    for (const Words& arguments : std::vector<Words>{{"/usr/bin/docker", "start", "-a", "tunnel"},
                                                     {"/usr/bin/docker", "compose", "up"}}) {
        EXPECT_THAT(problem(unit(arguments)),
                    AllOf(HasSubstr("docker starts a container whose token keyturnd cannot know"),
                          HasSubstr("docker command")));
    }
}

}  // namespace
}  // namespace keyturn
