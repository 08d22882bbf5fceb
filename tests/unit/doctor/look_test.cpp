// What the doctor reads from files, the kernel and the network: here from a folder and loopback.
#include "clock/clock.hpp"
#include "cloudflared/attestation.hpp"
#include "doctor/network_look.hpp"
#include "doctor/policy_look.hpp"
#include "doctor/probe.hpp"
#include "doctor/proxy_look.hpp"
#include "doctor/system_look.hpp"
#include "doctor/unit_look.hpp"
#include "fakes/sandbox.hpp"
#include "setup/foreground.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/udp.hpp>
#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

namespace keyturn {
namespace {

using boost::asio::ip::tcp;
using boost::asio::ip::udp;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using namespace std::chrono_literals;

/// {"a": 32 hex digits, "t": a UUID, "s": 32 zero bytes}.
constexpr const char* sample_token =
    "eyJhIjoiNjk5ZDk4NjQyYzU2NGQyZTg1NWU5NjYxODk5YjcyNTIiLCJ0IjoiZjcwZmY5ODUtYTRlZi00NjQzLWJiYmMt"
    "NGEwZWQ0ZmM4NDE1IiwicyI6IkFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE9In0=";

class Looks : public ::testing::Test {
  protected:
    std::string put(const std::string& path, const std::string& text, mode_t mode = 0600) {
        std::string whole = root_ + path;
        std::filesystem::create_directories(std::filesystem::path(whole).parent_path());
        std::ofstream(whole) << text;
        ::chmod(whole.c_str(), mode);
        return whole;
    }

    const testing_files::Sandbox sandbox_;
    const std::string& root_ = sandbox_.path();
};

TEST_F(Looks, FindWhatElseRotates) {
    put("/etc/cron.d/rotate", "0 3 * * * root curl -X PATCH .../cfd_tunnel/x\n");
    put("/etc/cron.d/other", "0 3 * * * root true\n");
    put("/etc/systemd/system/rotate.service", "ExecStart=/bin/rotate cfd_tunnel\n");
    put("/opt/infra/tunnel.tf", "tunnel_secret = random_id.x.b64_std\n");
    put("/usr/local/bin/keyturnd",
        "\x7f"
        "ELF cfd_tunnel\n");
    EXPECT_THAT(look_for_rotators(root_),
                ElementsAre(RotatorSeen{"/etc/cron.d/rotate", "cfd_tunnel"},
                            RotatorSeen{"/etc/systemd/system/rotate.service", "cfd_tunnel"},
                            RotatorSeen{"/opt/infra/tunnel.tf", "tunnel_secret"}));
}

TEST_F(Looks, FindSwapThatIsNotEncrypted) {
    constexpr const char* text =
        "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"
        "/dev/sda2                               partition\t1048572\t\t0\t\t-2\n"
        "/dev/dm-1                               partition\t1048572\t\t0\t\t-3\n"
        "/dev/zram0                              partition\t1048572\t\t0\t\t100\n";
    EXPECT_THAT(open_swaps(text), ElementsAre("/dev/sda2"));
    EXPECT_THAT(open_swaps("Filename\tType\n"), IsEmpty());
    EXPECT_THAT(open_swaps(""), IsEmpty());
}

TEST_F(Looks, ReadTheVersionOfSystemd) {
    EXPECT_EQ(version_number("252.39-1~deb12u1"), 252);
    EXPECT_EQ(version_number("v255"), 0);
}

TEST_F(Looks, FindFilesThatAUnitMisses) {
    put("/etc/there", "x");
    put("/etc/empty", "");
    UnitSettings settings;
    settings.environment_files = {"/etc/there", "-/etc/optional", "/etc/gone", "/etc/%i"};
    settings.load_credentials = {{"token", "/etc/there"}, {"spare", "/etc/spare"}};
    settings.set_credentials = {"spare"};
    settings.encrypted_credentials = {{"sealed", "/etc/sealed"}};
    settings.conditions = {{"ConditionPathExists", false, false, "/etc/there"},
                           {"ConditionPathExists", false, true, "/etc/unwanted"},
                           {"AssertPathExists", false, false, "/etc/wanted"},
                           {"ConditionFileNotEmpty", false, false, "/etc/empty"}};
    EXPECT_THAT(lost_files_of(settings, root_),
                ElementsAre(LostFile{"EnvironmentFile", "/etc/gone"},
                            LostFile{"LoadCredentialEncrypted", "/etc/sealed"},
                            LostFile{"AssertPathExists", "/etc/wanted"},
                            LostFile{"ConditionFileNotEmpty", "/etc/empty"}));
}

TEST_F(Looks, FindTokensThatOthersCanRead) {
    UnitSettings settings;
    settings.name = "cloudflared.service";
    settings.user = "cloudflared";
    const std::string token = sample_token;
    settings.files = {put("/unit", "ExecStart=/usr/bin/cloudflared tunnel run --token " + token)};
    settings.environment_files = {"-" + put("/open", "TUNNEL_TOKEN=" + token, 0644),
                                  put("/closed", "TUNNEL_TOKEN=" + token, 0600),
                                  put("/none", "TUNNEL_LOGLEVEL=info", 0644)};
    ConnectorFiles files;
    files.configuration.path = put("/config.yml", "token: " + token, 0640);
    const auto exposed = exposed_files_of(settings, files, "");
    ASSERT_THAT(exposed, SizeIs(3));
    EXPECT_EQ(exposed[0].path, root_ + "/unit");
    EXPECT_TRUE(exposed[0].unit_file);
    EXPECT_EQ(exposed[1].path, root_ + "/open");
    EXPECT_EQ(exposed[1].owner_to_be, "root");
    EXPECT_EQ(exposed[2].path, root_ + "/config.yml");
    EXPECT_EQ(exposed[2].owner_to_be, "cloudflared");
    EXPECT_EQ(exposed[2].fingerprint, exposed[0].fingerprint);
}

TEST_F(Looks, CompareAUnitWithItsAttestation) {
    const std::string configuration = put("/config.yml", "loglevel: info");
    UnitSettings settings;
    settings.name = "cloudflared.service";
    settings.exec_start = {{"/usr/bin/cloudflared", "--config", configuration, "tunnel", "run"}};
    EXPECT_EQ(attestation_problem_of(settings, root_), "");  // keyturnd can look for itself.
    Attestation attestation{settings.name,
                            "2026-11-28",
                            "salt",
                            settings_digest(settings, "salt"),
                            {*look_at_file(configuration)}};
    const std::string path = attestation_path(settings.name);
    put(path, write_attestation(attestation));
    EXPECT_EQ(attestation_problem_of(settings, root_), "");
    put("/config.yml", "loglevel: debug");
    EXPECT_THAT(attestation_problem_of(settings, root_),
                HasSubstr(configuration + " changed after 2026-11-28"));
    settings.user = "somebody";
    EXPECT_THAT(attestation_problem_of(settings, root_), HasSubstr("its settings changed"));
    put(path, "{}");
    EXPECT_THAT(attestation_problem_of(settings, root_), HasSubstr("not an attestation"));
    std::filesystem::remove(root_ + path);
    settings.exec_start = {{"/usr/bin/cloudflared", "--config", "/root/x.yml", "tunnel", "run"}};
    EXPECT_THAT(attestation_problem_of(settings, root_), HasSubstr("/root/x.yml"));
}

TEST_F(Looks, NeedAnAttestationOfWhatKeyturndCannotRead) {
    const auto problem = [&](const char* path) {
        UnitSettings settings;
        settings.name = "cloudflared.service";
        settings.exec_start = {{"/usr/bin/cloudflared", "--config", path, "tunnel", "run"}};
        return attestation_problem_of(settings, root_);
    };
    put("/etc/open/config.yml", "loglevel: info", 0644);
    put("/etc/open/private.yml", "loglevel: info", 0600);
    put("/etc/closed/config.yml", "loglevel: info", 0644);
    ::chmod((root_ + "/etc/closed").c_str(), 0700);
    EXPECT_EQ(problem("/etc/open/config.yml"), "");
    EXPECT_EQ(problem("/etc/open/none.yml"), "");
    EXPECT_THAT(problem("/etc/open/private.yml"), HasSubstr("keyturnd cannot look at"));
    EXPECT_THAT(problem("/etc/closed/config.yml"), HasSubstr("keyturnd cannot look at"));
}

TEST_F(Looks, JudgeATokenFileLikeKeyturnd) {
    const unsigned user = ::geteuid();
    const std::string path = put("/tokens/web", sample_token);
    const TokenFileSeen good = look_at_token_file(path, user);
    EXPECT_EQ(good.problem, "");
    EXPECT_EQ(good.tunnel, "f70ff985-a4ef-4643-bbbc-4a0ed4fc8415");
    EXPECT_THAT(good.fingerprint, SizeIs(16));
    EXPECT_FALSE(look_at_token_file(root_ + "/tokens/none", user).exists);
    EXPECT_THAT(look_at_token_file(path, user + 1).problem, HasSubstr("user keyturn"));
    EXPECT_THAT(look_at_token_file(put("/wide", sample_token, 0644), user).problem,
                HasSubstr("mode 644"));
    EXPECT_NE(look_at_token_file(put("/odd", "eyJ"), user).problem, "");
    std::filesystem::create_symlink(path, root_ + "/link");
    EXPECT_THAT(look_at_token_file(root_ + "/link", user).problem, HasSubstr("regular"));
    std::filesystem::create_hard_link(path, root_ + "/second");
    EXPECT_THAT(look_at_token_file(path, user).problem, HasSubstr("hard link"));
}

TEST_F(Looks, FindApiTokens) {
    CloudflarePolicy policy;
    policy.credentials["main"].credential = "api";
    policy.credentials["own"].file = put("/own", "NAME=hidden");
    UnitSettings settings;
    settings.load_credentials = {{"api", put("/api", "cfut_0123456789012345678901234567890\n")}};
    auto looks = look_at_credentials(policy, settings);
    ASSERT_THAT(looks, SizeIs(2));
    EXPECT_EQ(looks[0].seen.path, root_ + "/api");
    EXPECT_EQ(looks[0].seen.open, "");
    EXPECT_TRUE(looks[0].api_token);
    EXPECT_FALSE(looks[1].api_token);
    EXPECT_NE(looks[1].seen.unreadable, "");
    EXPECT_THAT(looks[1].seen.unreadable, ::testing::Not(HasSubstr("hidden")));
    ::chmod((root_ + "/api").c_str(), 0644);
    std::filesystem::remove(root_ + "/own");
    looks = look_at_credentials(policy, settings);
    EXPECT_THAT(looks[0].seen.open, HasSubstr("mode 644"));
    EXPECT_FALSE(looks[1].seen.exists);
}

/// Sockets on loopback: one that accepts, one that answers datagrams, and one that is silent.
class Network : public ::testing::Test {
  protected:
    Network() {
        answering_ = std::thread([this] {
            std::array<char, 2048> packet{};
            udp::endpoint sender;
            size_ = talking_.receive_from(boost::asio::buffer(packet), sender);
            talking_.send_to(boost::asio::buffer("versions", 8), sender);
        });
    }
    ~Network() override {
        // Ends the thread if no test has.
        udp::socket last(context_, udp::endpoint(loopback_, 0));
        last.send_to(boost::asio::buffer("x", 1), talking_.local_endpoint());
        answering_.join();
    }
    Network(const Network&) = delete;
    Network& operator=(const Network&) = delete;

    boost::asio::io_context context_;
    boost::asio::ip::address loopback_ = boost::asio::ip::make_address("127.0.0.1");
    tcp::acceptor listening_{context_, tcp::endpoint(loopback_, 0)};
    udp::socket talking_{context_, udp::endpoint(loopback_, 0)};
    udp::socket silent_{context_, udp::endpoint(loopback_, 0)};
    std::size_t size_ = 0;
    std::thread answering_;
};

TEST_F(Network, TellsPortsThatAnswerFromThoseThatDoNot) {
    tcp::acceptor closed(context_, tcp::endpoint(loopback_, 0));
    const std::uint16_t closed_port = closed.local_endpoint().port();
    closed.close();
    std::vector<Probe> probes{
        {loopback_, listening_.local_endpoint().port(), Transport::tcp, false, {}},
        {loopback_, closed_port, Transport::tcp, false, {}},
        {loopback_, talking_.local_endpoint().port(), Transport::udp, false, {}},
        {loopback_, silent_.local_endpoint().port(), Transport::udp, false, {}}};
    const auto clock = make_clock(context_.get_executor());
    try_all(*clock, probes, 500ms);
    EXPECT_TRUE(probes[0].answered) << probes[0].problem;
    EXPECT_FALSE(probes[1].answered);
    EXPECT_NE(probes[1].problem, "");
    EXPECT_TRUE(probes[2].answered) << probes[2].problem;
    EXPECT_FALSE(probes[3].answered);
    EXPECT_EQ(probes[3].problem, "no answer");
}

TEST_F(Network, IsLookedAtByNameAndPort) {
    Foreground host;
    NetworkOptions options;
    options.api = {{"127.0.0.1", std::to_string(listening_.local_endpoint().port())}};
    options.edge = {{"127.0.0.1", std::to_string(talking_.local_endpoint().port())},
                    {"no-such-name.invalid", "7844"}};
    options.name_servers = "127.0.0.1:1";
    options.resolve_patience = 300ms;
    options.answer_patience = 300ms;
    const NetworkSeen seen = look_at_network(host, options);
    ASSERT_THAT(seen.api_tcp, SizeIs(1));
    EXPECT_TRUE(seen.api_tcp[0].answered);
    ASSERT_THAT(seen.edge_names, SizeIs(2));
    EXPECT_EQ(seen.edge_names[0].problem, "");
    EXPECT_NE(seen.edge_names[1].problem, "");
    ASSERT_THAT(seen.edge_udp, SizeIs(1));
    EXPECT_TRUE(seen.edge_udp[0].answered);
    EXPECT_FALSE(seen.edge_tcp[0].answered);
}

TEST_F(Network, WaitsForASilentNameServerOnlyOnce) {
    Foreground host;
    NetworkOptions options;
    options.edge.clear();
    for (const char* name : {"one.invalid", "two.invalid", "three.invalid", "four.invalid"})
        options.edge.push_back({name, "7844"});
    options.name_servers = "127.0.0.1:" + std::to_string(silent_.local_endpoint().port());
    options.resolve_patience = 500ms;
    const auto begin = host.clock().boot_now();
    const NetworkSeen seen = look_at_network(host, options);
    EXPECT_LT(host.clock().boot_now() - begin, 2 * options.resolve_patience);
    ASSERT_THAT(seen.edge_names, SizeIs(4));
    EXPECT_EQ(seen.edge_names[0].host, "one.invalid");
    for (const NameSeen& name : seen.edge_names) EXPECT_NE(name.problem, "") << name.host;
}

TEST(VersionQuestion, IsAFirstPacketWithAVersionThatDoesNotExist) {
    const std::string packet = version_question();
    EXPECT_EQ(packet.size(), 1200U);
    EXPECT_EQ(packet.substr(0, 6), "\xC0\x1a\x2a\x3a\x4a\x08");
}

TEST(Proxies, AreFoundInTheEnvironmentOfAProcess) {
    constexpr std::string_view entries(
        "HTTPS_PROXY=http://other:1\0https_proxy=http://a:b@proxy.example:3128\0no_proxy=x\0=", 81);
    const ProxyChoice found = proxy_in_entries(entries);
    ASSERT_TRUE(found && *found);
    EXPECT_EQ(name_of(**found), "the proxy proxy.example:3128");
    EXPECT_EQ((*found)->login.reveal(), "a:b");
    EXPECT_THAT((*found)->no_proxy, ElementsAre("x"));
    EXPECT_EQ(*proxy_in_entries(std::string_view("PATH=/bin\0", 10)), nullptr);
}

TEST(Proxies, AreNamedWithoutTheirValues) {
    EXPECT_THAT(
        proxy_variables({"PATH=/bin", "HTTPS_PROXY=", "all_proxy=x", "NO_PROXY=y"}, "systemd"),
        ElementsAre("HTTPS_PROXY of systemd", "all_proxy of systemd"));
}

}  // namespace
}  // namespace keyturn
