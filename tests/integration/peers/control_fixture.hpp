#pragma once

#include "control/control_service.hpp"
#include "integration/peers/dbus_daemon.hpp"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace keyturn::testing {

using namespace std::chrono_literals;

/// Any user but root.
inline constexpr uid_t somebody = 65534;
inline constexpr uid_t another = 1;  ///< A bus daemon wants users to have a name.

/// What a call came to: "" and the reply, or the name and message of the error.
struct Answer {
    std::string error;
    std::string text;
    Message reply;
};

/// Plays polkitd: answers CheckAuthorization as told, and notes what was asked.
class FakePolkit {
  public:
    FakePolkit(boost::asio::io_context& context, const DbusDaemon& daemon);

    /// What happens to a question.
    enum class Mood { yes, no, challenge, silent };
    Mood mood = Mood::no;

    std::vector<std::string> asked;  ///< "action tunnel flags"
    bool owns_name = false;

    /// Answers the question that was left open.
    void answer(bool authorized);

  private:
    static int on_message(sd_bus_message* message, void* self, sd_bus_error* error);
    static int on_name(sd_bus_message* reply, void* self, sd_bus_error* error);
    void on_question(sd_bus_message* question);

    Message open_question_;
    Bus bus_;
};

/// A service on a real bus, with a client that is root and one that is not, all in one loop.
class ControlTest : public ::testing::Test {
  protected:
    ControlTest();
    void SetUp() override;

    /// Turns the loop until `condition` holds. False when it did not for a long time.
    [[nodiscard]] bool turn_until(const std::function<bool()>& condition);

    /// A method call to the service, answered or not.
    [[nodiscard]] Answer call(Bus& client, const Message& message);
    [[nodiscard]] static Message new_call(Bus& client, const std::string& path,
                                          const char* interface, const char* member);
    [[nodiscard]] Answer rotate(Bus& client, const char* tunnel = "web");
    [[nodiscard]] Answer retry(Bus& client, const char* tunnel = "web");
    [[nodiscard]] bool name_is_owned();

    ControlHandlers handlers();

    boost::asio::io_context context_{1};
    DbusDaemon daemon_;
    std::vector<TunnelStatus> tunnels_;
    std::vector<std::string> done_;          ///< What the handlers were asked to do.
    std::vector<RotationRequest> requests_;  ///< The rotations among it.
    std::vector<std::string> reports_;
    int times_asked_ = 0;
    int times_reachable_ = 0;
    Result<void> outcome_;
    Bus service_bus_;
    Bus root_;
    Bus stranger_;
    std::unique_ptr<ControlService> service_;
};

inline constexpr const char* web_path = "/org/keyturn/Keyturn1/tunnel/web";

}  // namespace keyturn::testing
