#include "integration/shared_object/etcd_cluster.hpp"

#include "integration/peers/certificates.hpp"
#include "token/base64.hpp"

#include <boost/asio/ip/tcp.hpp>

#include <stdexcept>

namespace keyturn {

namespace {

/// Ports that nobody listens on at the moment.
std::vector<std::string> free_ports(std::size_t count) {
    using boost::asio::ip::tcp;
    boost::asio::io_context context;
    std::vector<tcp::acceptor> held;
    std::vector<std::string> ports;
    for (std::size_t i = 0; i < count; ++i) {
        held.emplace_back(context, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
        ports.push_back(std::to_string(held.back().local_endpoint().port()));
    }
    return ports;
}

std::string base64(const std::string& text) {
    return std::string(encode_base64(text).reveal());
}

std::string name_of(std::size_t member) {
    return "m" + std::to_string(member);
}

}  // namespace

EtcdCluster::EtcdCluster(std::size_t members) : members_(members) {
    const Identity identity = make_identity(CertificateWish());
    testing_files::put(sandbox_ / "etcd.pem", identity.certificate);
    testing_files::put(sandbox_ / "etcd.key", identity.key);
    CertificateWish nameless;
    nameless.common_name.clear();
    const Identity for_client = make_identity(nameless);
    testing_files::put(sandbox_ / "client.pem", for_client.certificate);
    testing_files::put(sandbox_ / "client.key", for_client.key);
    const auto ports = free_ports(2 * members);
    for (std::size_t i = 0; i < members; ++i) {
        members_[i].client_port = ports[2 * i];
        members_[i].peer_port = ports[2 * i + 1];
        if (!names_.empty()) names_ += ",";
        names_ += name_of(i) + "=http://127.0.0.1:" + members_[i].peer_port;
    }
    for (std::size_t i = 0; i < members; ++i) start(i);
    wait_until_ready();
}

void EtcdCluster::start(std::size_t member) {
    const std::string client = "https://127.0.0.1:" + members_[member].client_port;
    const std::string peer = "http://127.0.0.1:" + members_[member].peer_port;
    const std::vector<std::string> words{"etcd",
                                         "--name",
                                         name_of(member),
                                         "--data-dir",
                                         sandbox_ / name_of(member),
                                         "--listen-client-urls",
                                         client,
                                         "--advertise-client-urls",
                                         client,
                                         "--listen-peer-urls",
                                         peer,
                                         "--initial-advertise-peer-urls",
                                         peer,
                                         "--initial-cluster",
                                         names_,
                                         "--cert-file",
                                         sandbox_ / "etcd.pem",
                                         "--key-file",
                                         sandbox_ / "etcd.key",
                                         "--client-cert-auth",
                                         "--trusted-ca-file",
                                         test_authority_file()};
    members_[member].process =
        std::make_unique<ChildProcess>(words, sandbox_ / (name_of(member) + ".log"));
}

std::vector<std::string> EtcdCluster::endpoints() const {
    std::vector<std::string> urls;
    for (const Member& member : members_) {
        urls.push_back("https://127.0.0.1:" + member.client_port);
    }
    return urls;
}

HttpClientOptions EtcdCluster::client() const {
    HttpClientOptions options;
    options.ca_file = test_authority_file();
    options.cert_file = sandbox_ / "client.pem";
    options.key_file = sandbox_ / "client.key";
    return options;
}

std::string EtcdCluster::call(const std::string& path, const std::string& body,
                              const std::string& token) const {
    boost::asio::io_context context{1};
    const auto http = make_http_client(context.get_executor(), client());
    const HttpOrigin origin{"127.0.0.1", members_.front().client_port, true};
    HttpRequest request;
    request.method = "POST";
    request.target = path;
    request.body = Secret::copy_of(body);
    if (!token.empty()) request.headers.push_back({"Authorization", Secret::copy_of(token)});
    std::string answer;
    auto keep = [&answer](std::exception_ptr error, Result<HttpResponse> response) {
        if (!error && response && response->status == 200) answer = response->body.reveal();
    };
    boost::asio::co_spawn(context, http->send(origin, std::move(request)), std::move(keep));
    context.run();
    return answer;
}

void EtcdCluster::wait_until_ready() const {
    const auto end = std::chrono::steady_clock::now() + 60s;
    while (call("/v3/kv/range", "{\"key\":\"" + base64("ready") + "\"}").empty()) {
        if (std::chrono::steady_clock::now() > end) {
            throw std::runtime_error("etcd does not get ready (package etcd-server): " +
                                     testing_files::content_of(sandbox_ / "m0.log"));
        }
        ::usleep(50'000);
    }
}

void EtcdCluster::enable_authentication() const {
    const auto must = [&](const std::string& path, const std::string& body) {
        EXPECT_NE(call(path, body), "") << path;
    };
    must("/v3/auth/user/add", R"({"name":"root","password":"root"})");
    must("/v3/auth/role/add", R"({"name":"root"})");
    must("/v3/auth/user/grant", R"({"user":"root","role":"root"})");
    must("/v3/auth/user/add", R"({"name":"keyturn","password":"hunter2"})");
    must("/v3/auth/role/add", R"({"name":"fleet"})");
    must("/v3/auth/role/grant", R"({"name":"fleet","perm":{"permType":"READWRITE","key":")" +
                                    base64("keyturn/") + R"(","range_end":")" + base64("keyturn0") +
                                    "\"}}");
    must("/v3/auth/user/grant", R"({"user":"keyturn","role":"fleet"})");
    must("/v3/auth/enable", "{}");
}

}  // namespace keyturn
