#include "setup/foreground.hpp"

#include "integration/peers/dbus_daemon.hpp"

#include <gmock/gmock.h>

#include <unistd.h>

namespace keyturn::testing {
namespace {

using ::testing::HasSubstr;

/// There is no systemd on this bus. That the bus says so itself shows that it was asked.
void expect_asked(Foreground& host) {
    const auto state = host.wait(host.units().state("a.service"));
    ASSERT_FALSE(state);
    EXPECT_THAT(state.error().text, HasSubstr("org.freedesktop.systemd1"));
}

TEST(Foreground, ConnectsAgainToABusThatWasAwayWhileNothingWasAsked) {
    DbusDaemon daemon;
    Foreground host(daemon.opener(::getuid()));
    ASSERT_TRUE(host.connect());
    expect_asked(host);
    daemon.stop();
    daemon.start();
    expect_asked(host);
}

TEST(Foreground, SaysThatTheBusIsGone) {
    DbusDaemon daemon;
    Foreground host(daemon.opener(::getuid()));
    ASSERT_TRUE(host.connect());
    daemon.stop();
    const auto state = host.wait(host.units().state("a.service"));
    ASSERT_FALSE(state);
    EXPECT_EQ(state.error().fault, Fault::unreachable);
}

}  // namespace
}  // namespace keyturn::testing
