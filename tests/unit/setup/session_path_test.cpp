#include "setup/session_path.hpp"

#include <gmock/gmock.h>

#include <arpa/inet.h>
#include <csignal>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace keyturn {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(TcpConnections, OnlyTheEstablishedOnes) {
    const auto connections = read_tcp_connections(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
        "timeout inode\n"
        "   0: 0100007F:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        "
        "0 100 1 0 100 0 0 10 0\n"
        "   1: 0100007F:0016 0100007F:C001 01 00000000:00000000 00:00000000 00000000     0        "
        "0 200 1 0 100 0 0 10 0\n");
    ASSERT_EQ(connections.size(), 1U);
    EXPECT_EQ(connections.front().local, "0100007F:0016");
    EXPECT_EQ(connections.front().remote, "0100007F:C001");
    EXPECT_EQ(connections.front().inode, "200");
}

/// A process of its own that connects to us, as a connector connects to sshd.
class PeerProcess {
  public:
    PeerProcess() {
        const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        socklen_t size = sizeof(address);
        auto* const raw = reinterpret_cast<sockaddr*>(&address);
        EXPECT_EQ(::bind(listener, raw, size), 0);
        EXPECT_EQ(::listen(listener, 1), 0);
        EXPECT_EQ(::getsockname(listener, raw, &size), 0);
        process_ = ::fork();
        if (process_ == 0) {
            ::close(listener);
            const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
            ::connect(socket, raw, size);
            ::pause();
            ::_exit(0);
        }
        session_ = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
        ::close(listener);
    }
    PeerProcess(const PeerProcess&) = delete;
    PeerProcess& operator=(const PeerProcess&) = delete;
    ~PeerProcess() {
        ::close(session_);
        ::kill(process_, SIGKILL);
        ::waitpid(process_, nullptr, 0);
    }

    [[nodiscard]] pid_t process() const { return process_; }

  private:
    pid_t process_ = 0;
    int session_ = -1;
};

TEST(ConnectorsOfSession, TheOneAtTheOtherEnd) {
    const PeerProcess peer;
    EXPECT_THAT(connectors_of_session(::getpid(), {peer.process()}), ElementsAre(peer.process()));
    EXPECT_THAT(connectors_of_session(::getpid(), {::getppid()}), IsEmpty());
    EXPECT_THAT(connectors_of_session(::getpid(), {}), IsEmpty());
}

}  // namespace
}  // namespace keyturn
