#include "units/unit_error.hpp"

#include "units/polkit.hpp"

#include <gmock/gmock.h>

namespace keyturn {
namespace {

using ::testing::HasSubstr;

Error error_of(const char* name, const char* message) {
    const sd_bus_error error{name, message, 0};
    return unit_error(error, "restart", "web@1.service", "keyturn");
}

TEST(UnitError, PolkitRefusalNamesTheRuleToWrite) {
    for (const char* name :
         {"org.freedesktop.DBus.Error.AccessDenied", "org.freedesktop.DBus.Error.AuthFailed",
          "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"}) {
        const Error error = error_of(name, "no");
        EXPECT_EQ(error.fault, Fault::denied);
        EXPECT_THAT(error.text,
                    HasSubstr("polkit does not allow user keyturn to restart web@1.service"));
        EXPECT_THAT(error.text, HasSubstr("/etc/polkit-1/rules.d/49-keyturn.rules"));
    }
}

TEST(UnitError, MaskedPolkitIsNotAMaskedUnit) {
    const Error unit =
        error_of("org.freedesktop.systemd1.UnitMasked", "Unit web@1.service is masked.");
    EXPECT_EQ(unit.fault, Fault::missing);
    EXPECT_THAT(unit.text, HasSubstr("systemctl unmask web@1.service"));
    const Error polkit =
        error_of("org.freedesktop.systemd1.UnitMasked", "Unit polkit.service is masked.");
    EXPECT_EQ(polkit.fault, Fault::busy) << "it is waited for";
    EXPECT_THAT(polkit.text, HasSubstr("systemctl status polkit.service"));
}

TEST(UnitError, APolkitThatDoesNotComeUpIsNoMissingUnit) {
    for (const char* name : {"org.freedesktop.systemd1.NoSuchUnit", "org.example.Odd",
                             "org.freedesktop.DBus.Error.AccessDenied"}) {
        EXPECT_EQ(error_of(name, "Unit polkit.service not found.").fault, Fault::busy) << name;
        EXPECT_EQ(error_of(name, "Activation of org.freedesktop.PolicyKit1 failed").fault,
                  Fault::busy)
            << name;
    }
    EXPECT_EQ(error_of("org.freedesktop.PolicyKit1.Error.Failed", "odd").fault, Fault::busy);
}

TEST(PolkitRemedy, NamesExactlyTheUnitsAndTheVerbs) {
    const std::string text =
        polkit_remedy("keyturn", {{"cf-tunnel.service", false}, {R"(web@a\x2db.service)", false}});
    EXPECT_EQ(text,
              "put this line into /etc/polkit-1/rules.d/49-keyturn.rules: "
              "polkit.addRule(function (action, subject) { if (action.id == "
              "\"org.freedesktop.systemd1.manage-units\" && subject.user == \"keyturn\" && "
              "[\"cf-tunnel.service\", \"web@a\\\\x2db.service\"]"
              ".indexOf(action.lookup(\"unit\")) >= 0 && "
              "[\"restart\", \"try-restart\", \"reset-failed\"]"
              ".indexOf(action.lookup(\"verb\")) >= 0) return polkit.Result.YES; });");
    const std::string surge = polkit_remedy("keyturn", {{"keyturn-surge@web.service", true}});
    EXPECT_THAT(surge, HasSubstr(R"(["restart", "try-restart", "reset-failed", "stop"])"));
}

TEST(UnitError, OtherNames) {
    EXPECT_EQ(error_of("org.freedesktop.systemd1.NoSuchUnit", "x").fault, Fault::missing);
    EXPECT_EQ(error_of("org.freedesktop.systemd1.LoadFailed", "bad file").fault, Fault::missing);
    EXPECT_EQ(error_of("org.freedesktop.systemd1.BadUnitSetting", "bad file").fault,
              Fault::missing);
    EXPECT_EQ(error_of("org.freedesktop.systemd1.TransactionIsDestructive", "x").fault,
              Fault::conflict);
    EXPECT_EQ(error_of("org.freedesktop.systemd1.TransactionJobsConflicting", "x").fault,
              Fault::conflict);
    EXPECT_EQ(error_of("org.freedesktop.systemd1.OnlyByDependency", "x").fault, Fault::denied);
    const Error other = error_of("org.example.Odd", "odd");
    EXPECT_EQ(other.fault, Fault::invalid);
    EXPECT_EQ(other.text, "cannot restart web@1.service: org.example.Odd: odd");
    EXPECT_EQ(error_of(nullptr, nullptr).fault, Fault::invalid);
}

TEST(UserOfProcess, IsTheUserThatSystemdNames) {
    ::setenv("USER", "keyturn", 1);
    EXPECT_EQ(user_of_process(), "keyturn");
    ::unsetenv("USER");
    EXPECT_THAT(user_of_process(), HasSubstr("uid "));
}

}  // namespace
}  // namespace keyturn
