#pragma once

#include <gtest/gtest.h>
#include <systemd/sd-bus.h>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <sys/socket.h>
#include <unistd.h>

namespace keyturn::testing {

struct BusRelease {
    void operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }
    void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};

/// A message to write and then read. It is never sent: the other end of its bus is not served.
class BusMessage {
  public:
    BusMessage() {
        EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends_.data()), 0);
        sd_bus* bus = nullptr;
        EXPECT_GE(sd_bus_new(&bus), 0);
        bus_.reset(bus);
        EXPECT_GE(sd_bus_set_fd(bus, ends_[0], ends_[0]), 0);
        EXPECT_GE(sd_bus_start(bus), 0);
        sd_bus_message* message = nullptr;
        EXPECT_GE(sd_bus_message_new_signal(bus, &message, "/org/example", "org.example", "Test"),
                  0);
        message_.reset(message);
    }
    ~BusMessage() { ::close(ends_[1]); }  // sd-bus closes its own.
    BusMessage(const BusMessage&) = delete;
    BusMessage& operator=(const BusMessage&) = delete;

    [[nodiscard]] sd_bus_message* get() const { return message_.get(); }

    /// The message as its receiver sees it, at its beginning.
    sd_bus_message* sent() {
        EXPECT_GE(sd_bus_message_seal(message_.get(), 1, 0), 0);
        return message_.get();
    }

  private:
    std::array<int, 2> ends_{-1, -1};
    std::unique_ptr<sd_bus, BusRelease> bus_;
    std::unique_ptr<sd_bus_message, BusRelease> message_;
};

/// The rest of the current container of `message` as text: "web 1 [a b]".
inline std::string text_of(sd_bus_message* message) {
    std::string text;
    char type = 0;
    const char* contents = nullptr;
    while (sd_bus_message_peek_type(message, &type, &contents) > 0) {
        if (!text.empty()) text += ' ';
        const char* string = nullptr;
        std::int32_t number = 0;
        std::uint64_t count = 0;
        switch (type) {
            case 's':
                EXPECT_GT(sd_bus_message_read_basic(message, type, &string), 0);
                text += string;
                break;
            case 'b':
            case 'i':
                EXPECT_GT(sd_bus_message_read_basic(message, type, &number), 0);
                text += std::to_string(number);
                break;
            case 't':
                EXPECT_GT(sd_bus_message_read_basic(message, type, &count), 0);
                text += std::to_string(count);
                break;
            default:
                EXPECT_GT(sd_bus_message_enter_container(message, type, contents), 0);
                text += '[' + text_of(message) + ']';
                EXPECT_GT(sd_bus_message_exit_container(message), 0);
        }
    }
    return text;
}

}  // namespace keyturn::testing
