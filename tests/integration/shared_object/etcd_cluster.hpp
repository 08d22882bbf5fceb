#pragma once

#include "fakes/sandbox.hpp"
#include "integration/peers/child_process.hpp"
#include "integration/shared_object/store_test.hpp"
#include "shared_object/etcd.hpp"

#include <memory>
#include <string>
#include <vector>

namespace keyturn {

/// A cluster of real etcd servers on loopback, over TLS, which wants a certificate of each client.
class EtcdCluster {
  public:
    explicit EtcdCluster(std::size_t members);

    [[nodiscard]] std::vector<std::string> endpoints() const;
    /// With a certificate that has no common name.
    [[nodiscard]] HttpClientOptions client() const;

    /// A file of the cluster: the certificate of the servers is etcd.pem, and has a common name.
    [[nodiscard]] std::string file(const std::string& name) const { return sandbox_ / name; }

    void start(std::size_t member);
    void kill(std::size_t member) { members_.at(member).process.reset(); }
    void send(std::size_t member, int signal) const { members_.at(member).process->send(signal); }

    /// Calls the gateway of the first member, and returns the body of its answer.
    [[nodiscard]] std::string call(const std::string& path, const std::string& body,
                                   const std::string& token = "") const;

    /// Enables authentication: the user "keyturn" with the password "hunter2" may use the keys that
    /// begin with "keyturn/".
    void enable_authentication() const;

  private:
    struct Member {
        std::string client_port;
        std::string peer_port;
        std::unique_ptr<ChildProcess> process;
    };

    void wait_until_ready() const;

    testing_files::Sandbox sandbox_{testing_files::Medium::memory};
    std::vector<Member> members_;
    std::string names_;  ///< Of all members and their addresses, as etcd wants them.
};

}  // namespace keyturn
