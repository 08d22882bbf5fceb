#include "bus/bus.hpp"

#include <gtest/gtest.h>

namespace keyturn {
namespace {

Error error_of(const char* name, const char* message) {
    const sd_bus_error error{name, message, 0};
    return bus_error(error);
}

TEST(BusError, TakesTheFaultFromTheName) {
    EXPECT_EQ(error_of("org.freedesktop.DBus.Error.NoReply", "x").fault, Fault::unreachable);
    EXPECT_EQ(error_of("org.freedesktop.DBus.Error.ServiceUnknown", "x").fault, Fault::unreachable);
    EXPECT_EQ(error_of("org.freedesktop.DBus.Error.AccessDenied", "x").fault, Fault::denied);
    EXPECT_EQ(error_of("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", "x").fault,
              Fault::denied);
    EXPECT_EQ(error_of("org.freedesktop.systemd1.NoSuchUnit", "x").fault, Fault::missing);
    EXPECT_EQ(error_of("org.freedesktop.systemd1.TransactionIsDestructive", "x").fault,
              Fault::conflict);
    EXPECT_EQ(error_of("org.example.Whatever", "x").fault, Fault::invalid);
}

TEST(BusError, NamesTheErrorAndItsMessage) {
    EXPECT_EQ(error_of("org.example.Whatever", "it broke").text, "org.example.Whatever: it broke");
    EXPECT_EQ(error_of("org.example.Whatever", "").text, "org.example.Whatever");
    EXPECT_EQ(error_of("org.example.Whatever", nullptr).text, "org.example.Whatever");
    EXPECT_EQ(error_of(nullptr, nullptr).text, "an error without a name");
}

}  // namespace
}  // namespace keyturn
