#include "wire/names.hpp"

#include "unit/shipped_file.hpp"
#include "wire/tunnel_properties.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

namespace keyturn {
namespace {

using shipped::found_in;
using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::StartsWith;
using Words = std::vector<std::string>;

TEST(BusNames, BeginAlike) {
    std::string path = std::string{"/"} + control_name;
    std::replace(path.begin(), path.end(), '.', '/');
    EXPECT_EQ(control_path, path);
    EXPECT_THAT(tunnels_path, StartsWith(path + "/"));
    EXPECT_THAT((Words{manager_interface, tunnel_interface}),
                Each(StartsWith(std::string{control_name} + ".")));
}

TEST(BusNames, HaveAnObjectForEachTunnel) {
    EXPECT_EQ(tunnel_path("web"), "/org/keyturn/Keyturn1/tunnel/web");
    EXPECT_EQ(tunnel_path("api.v2"), "/org/keyturn/Keyturn1/tunnel/api_2ev2");
    EXPECT_EQ(tunnel_path(""), "/org/keyturn/Keyturn1/tunnel/_");
    EXPECT_EQ(tunnel_path("\xFF"), tunnel_path("?"));
}

TEST(BusNames, AreThoseOfTheBusConfiguration) {
    const std::string file = shipped::text_of(std::string{"systemd/"} + control_name + ".conf");
    EXPECT_THAT(found_in(file, R"re(own="([^"]*)")re"), ElementsAre(control_name));
    EXPECT_THAT(found_in(file, R"re(send_destination="([^"]*)")re"),
                ElementsAre(control_name, control_name));
    EXPECT_EQ(found_in(file, R"re(<policy user="([^"]*)")re"),
              found_in(shipped::text_of("systemd/keyturnd.service"), "^User=(.*)"));
}

TEST(BusNames, AreThoseOfThePolkitActions) {
    Words actions;
    for (const ActingMethod& method :
         {rotate_method, retry_method, pause_method, resume_method, revert_method, fleet_method}) {
        std::string word = method.name;
        word[0] = static_cast<char>(word[0] - 'A' + 'a');
        EXPECT_EQ(method.polkit_action, "org.keyturn." + word);
        actions.emplace_back(method.polkit_action);
    }
    const std::string file = shipped::text_of("systemd/org.keyturn.policy");
    EXPECT_EQ(found_in(file, R"re(<action id="([^"]*)")re"), actions);
    // polkit answers questions about an action only to root and to the user named here.
    const Words user = found_in(shipped::text_of("systemd/keyturnd.service"), "^User=(.*)");
    EXPECT_EQ(found_in(file, R"(policykit\.owner">unix-user:([^<]*)<)"),
              Words(actions.size(), user.at(0)));
}

TEST(BusNames, AreThoseOfTheDescription) {
    const std::string text = shipped::text_of("lib/wire/README.md");
    const Words documented = found_in(text, "^\\| (`\\w+` \\| `[a-z(){}]*`) \\|");
    Words properties;
    std::apply(
        [&](const auto&... property) {
            (properties.push_back(std::string{"`"} + property.name + "` | `" +
                                  std::remove_cvref_t<decltype(property)>::Type::signature.text +
                                  "`"),
             ...);
        },
        tunnel_properties);
    EXPECT_EQ(documented, properties);
    for (const char* name :
         {control_name, control_path, tunnels_path, manager_interface, tunnel_interface,
          plan_method, rotate_method.name, retry_method.name, pause_method.name, resume_method.name,
          revert_method.name, rotate_method.polkit_action, control_error::refused,
          control_error::no_such_tunnel, control_error::not_held, control_error::already_open,
          control_error::conflict}) {
        EXPECT_NE(text.find(std::string{"`"} + name + "`"), std::string::npos) << name;
    }
}

}  // namespace
}  // namespace keyturn
